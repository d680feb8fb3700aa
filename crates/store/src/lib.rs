//! Where Larder keeps things: metadata in SQL, bytes on a file system or in an object store.

pub mod blob;
