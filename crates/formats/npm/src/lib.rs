//! npm's registry protocol.

mod archive;
mod details;
mod external;
mod index;
mod json;
mod names;
mod packument;
mod publish;
