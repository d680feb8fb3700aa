//! A publish request → an upload.
mod base64;
mod scanner;
