//! How the faculties of a run are set up.

use std::path::PathBuf;
use std::sync::Arc;

use crate::faculty::permit::Permissions;
use crate::repo::agents::AgentFile;

use super::models::Thinking;

/// How the faculties of a run are set up.
#[derive(Default)]
pub struct ToolOptions {
    /// Scripts and programs at once.
    pub jobs: usize,
    /// The models; none when no step can ask one.
    pub models: Option<Arc<Thinking>>,
    /// Who does which step.
    pub agents: AgentFile,
    /// Paths besides the base directory that may be read.
    pub allow_read: Vec<PathBuf>,
    /// Paths besides the base directory that may be written.
    pub allow_write: Vec<PathBuf>,
    /// What may be run and connected to.
    pub permissions: Permissions,
    /// Written files are named by absolute paths.
    pub absolute_paths: bool,
    /// The model of steps that name none, and whose agent names none.
    pub model: Option<Arc<str>>,
    /// The binary of normc, which launches programs; none lets nothing be launched by it.
    pub launcher: Option<PathBuf>,
}
