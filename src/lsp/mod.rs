//! The language server protocol over [`crate::ide`]: messages in, in order, one at a time.
//!
//! Knows positions, versions and the shapes of the protocol; what a plan means is asked of the room `ide`. To add a
//! request: its row in `requests.rs`, its capability in `capabilities.rs`.
#![allow(clippy::disallowed_methods, reason = "pages of diagnostics are written to the user's cache folder")]

mod capabilities;
mod document;
mod notices;
mod pages;
mod position;
mod publish;
mod requests;
mod server;

pub use document::Document;
pub use position::{Encoding, offset_of, position_of};
pub use server::{Ended, serve};
