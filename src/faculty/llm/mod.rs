//! Language models: what they are asked, by whom, at what price, and how a reply comes back whatever the server does.
//!
//! Knows no plans and no journal. Replies are data (semantics spec, sections 2.3 and 14.1).

mod meter;
mod request;

pub use meter::{Estimate, Meter, NoLimit, Observer, Reservation};
pub use request::{Caller, Chat, ChatReply, ChatRequest, Price, ReplyForm, Try, Usage, estimated_tokens};
