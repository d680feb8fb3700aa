//! Authorization: the one place where a request is allowed or denied (reference 5.4-5.6).

mod action;
mod administering;
mod allowed;
mod asking;
mod caller;
mod context;
mod evaluate;
mod notes;
mod refused;
mod remembered;

pub use action::{Action, PolicyScope};
pub use administering::IamTarget;
pub use allowed::{
    AccountTarget, Allowed, DomainTarget, NewDomainTarget, NewRepositoryTarget, PackageGroupTarget, PackageTarget,
    Repeats, RepositoryTarget, ServerTarget, Target,
};
pub use caller::{Caller, Via};
pub(crate) use context::ConditionValue;
pub use evaluate::Access;
pub use notes::{Asked, RequestClient, RequestNotes};
