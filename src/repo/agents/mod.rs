//! Agents: who does which step of a plan, with which model and tools (semantics spec, section 12). The text of the file
//! comes from the caller; nothing is read here, and no key that stands in it is ever copied.

mod choose;
mod file;
mod read;

pub use file::{
    Agent, AgentFile, CustomTool, FileSystem, InputMode, Needs, Provider, Python, ToolCommand, UserInput,
};
