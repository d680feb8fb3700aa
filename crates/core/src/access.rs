//! Authorization: the one place where a request is allowed or denied (reference 5.4-5.6).

mod action;
mod allowed;
mod caller;
mod evaluate;
mod refused;

pub use action::{Action, PolicyScope};
pub use allowed::{
    AccountTarget, Allowed, DomainTarget, NewDomainTarget, NewRepositoryTarget, PackageGroupTarget, PackageTarget,
    RepositoryTarget, ServerTarget, Target,
};
pub use caller::{Caller, Via};
pub use evaluate::Access;
