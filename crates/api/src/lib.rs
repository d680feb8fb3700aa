//! The AWS side of Larder: the CodeArtifact API, and as much of STS and IAM as runs without AWS. Package managers never
//! come here.
//!
//! * [`codeartifact`] has one file per operation and [`codeartifact::operations`], the table of all of them.
//! * [`sts`](mod@sts) answers STS: who am I, and temporary credentials; [`iam`](mod@iam) administers who they are of.
//! * [`Api`] is what the listener calls: it tells the services apart by the credential scope of the signature.

mod api;
mod authenticate;
pub mod codeartifact;
mod endpoint_url;
mod error;
#[doc(hidden)]
pub mod fuzzing;
mod iam;
mod query_protocol;
mod sts;

pub use api::{Api, ApiSettings};
