//! Language models: what they are asked, by whom, at what price, and how a reply comes back whatever the server does.
//!
//! A call goes [`Models::chat`] -> retry (a place at the gate, the rate, the budget, another try) -> a provider (one
//! try). Whether what must be JSON is, and fits its schema, is for the step to say, which asks again.
//!
//! Knows no plans and no journal. Replies are data (semantics spec, sections 2.3 and 14.1). To add a kind of provider: a
//! file that implements `Provider`, a variant of [`config::ProviderKind`], its place in `models.rs`.

mod again;
pub mod budget;
pub mod cassette;
mod certificates;
pub mod config;
mod echo;
mod gate;
mod http;
mod key;
mod meter;
mod models;
mod openai;
mod pace;
pub mod price;
mod provider;
mod request;
mod retry;
mod script;
mod script_file;
mod stop;
pub mod usage;

pub use budget::{Budget, Limits};
pub use cassette::{Cassette, CassetteError};
pub use config::{Config, ConfigProblem};
pub use meter::{Admitted, Estimate, Meter, NoLimit, Observer, Reservation};
pub use models::{ModelInfo, ModelOptions, Models};
pub use price::{Money, parse_cost, parse_tokens};
pub use request::{Caller, Chat, ChatReply, ChatRequest, Price, Try, Usage, estimated_tokens};
pub use stop::Stop;
pub use usage::Used;
