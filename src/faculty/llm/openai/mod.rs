//! Chat completions as OpenAI, llama.cpp, Ollama, vLLM and many hosts offer them (semantics spec, section 14.1).

mod answer;
mod body;
mod client;
mod refusal;

pub(super) use client::OpenAi;
