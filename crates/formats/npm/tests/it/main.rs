//! npm's endpoints over a real store: what clients send, and what no client would.

mod audit;
mod bad_input;
mod login;
mod proxy;
mod publish;
mod registry;
mod samples;
mod search;
mod server;
mod tags;
mod unpublish;
