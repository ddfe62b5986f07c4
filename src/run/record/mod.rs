//! Records: what the journal of a run says, one record a frame (durability spec, sections 4 and 6). Pure: a record is
//! bytes in, bytes out; where they are kept is not known here.

mod kind;

pub use kind::Kind;
