//! The canonical layout of a plan: indentation, blanks, annotations, line ends. Never its meaning.
//!
//! What is canonical: 4 columns a level (2 in a plan deeper than 32 levels); annotation lines one level below their
//! concept; `text | a | b` on a line; one blank after a marker, none between `:<:` and a bracket; a run of blank lines
//! is one, none stand at the start and the end; no blanks at the ends of lines; one line end at the end of the file;
//! LF, or CRLF where most lines end in it; no byte order mark. Lines are never joined, divided, moved or ordered anew.
//! What is no plan line (prose, data after a plan, stray text, drawings behind pipes) keeps its characters.
//!
//! The tree of the result is the tree of the source: a comment stays with the line it belongs to (language spec,
//! section 2.5), a text keeps what identity is made of (section 8, step 1).
//!
//! `rewrite` goes over the lines, `place` says at which column each stands, `content` writes what stands there, `same`
//! compares two trees.

mod content;
#[cfg(test)]
mod laws;
mod place;
mod rewrite;
mod same;

pub use rewrite::format;
