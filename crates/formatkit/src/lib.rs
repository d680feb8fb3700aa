//! What the tests of a package format need to call its handlers: [`Server`] is the format's routes on a real store, with
//! a clock to turn and a public [`Registry`] that the test fills. Nothing listens: a request goes to the handlers as
//! `larder-http` hands it over once it knows who is asking, and the [`Answer`] is read to its end.
//!
//! A format wraps the server in a type of its own, which says how it is set up and what its clients do with it. Tests
//! with real clients and real connections are in `e2e`.

mod answer;
mod policies;
mod registry;
mod server;

pub use answer::Answer;
pub use policies::Policies;
pub use registry::{LAST_MODIFIED, Registry};
pub use server::{Clock, Server, Setup, machine};
