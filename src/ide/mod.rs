//! What an editor asks of a plan while it is written: what a name is, where it comes from, who reads it, what can be
//! mended. Places are byte offsets and spans; knows nothing of protocols, processes and files.
//!
//! Everything begins with an [`Analysis`] of one text; the features are questions to it, one file each. To add one: a
//! file here, and its request in the room of the protocol.

mod actions;
mod analysis;
mod complete;
mod edits;
mod hover;
mod jump;
mod symbols;
mod words;

pub use actions::Action;
pub use analysis::{Analysis, Occurrence, Role};
pub use complete::{Completion, CompletionKind};
pub use edits::changes;
pub use hover::Hover;
pub use jump::Target;
pub use symbols::{Fold, Symbol};
