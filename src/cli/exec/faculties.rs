//! What the steps of a run may use: the options of `exec` about models, people, files and permissions, and the
//! faculties they make.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::ValueEnum;

use crate::base::SourceMap;
use crate::diag::Severity;
use crate::engine::{Plan, ThinkError, ThinkOptions, Thinking, ToolOptions, Tools};
use crate::faculty::llm::cassette::Mode;
use crate::faculty::llm::{CassetteError, Config, ConfigProblem, Limits, Money, parse_cost, parse_tokens};
use crate::faculty::permit::Permissions;
use crate::faculty::{Failure, FailureKind};
use crate::repo::agents::AgentFile;
use crate::run::Spent;

use super::super::Exit;
use super::super::agents;
use super::super::clock::WallClock;
use super::super::output::{complain, show};

/// How long a call of a model waits for others in flight when only what they reserve stands in its way.
const PATIENCE: Duration = Duration::from_secs(600);

/// Options about models, people, files and permissions.
#[derive(Debug, Default, clap::Args)]
pub(super) struct FacultyArguments {
    /// Providers and models [default: normc.toml beside the plan or above it, then the user's own]
    #[arg(long, value_name = "FILE", help_heading = "Models")]
    config: Option<PathBuf>,
    /// The model of steps that name none, and whose agent names none; `echo` and `script:FILE` need no server
    #[arg(long, value_name = "NAME", help_heading = "Models")]
    model: Option<String>,
    /// Who does which step [default: PLAN.agent.json, or the only *.agent.json beside the plan]
    #[arg(long, value_name = "FILE", help_heading = "Models")]
    agents: Option<PathBuf>,
    /// Record what models reply, replay it offline, or replay what is there and record the rest
    #[arg(long, value_enum, value_name = "MODE", help_heading = "Models")]
    cassette: Option<CassetteMode>,
    /// The recording [default: PLAN.cassette.jsonl beside the plan]
    #[arg(long, value_name = "FILE", requires = "cassette", help_heading = "Models")]
    cassette_file: Option<PathBuf>,
    /// Stop before the call that could pass this cost, in the unit of the configured prices
    #[arg(long, value_name = "COST", help_heading = "Models")]
    max_cost: Option<String>,
    /// Stop before the call that could pass so many tokens, prompts and replies together
    #[arg(long, value_name = "N", help_heading = "Models")]
    max_tokens: Option<String>,
    /// Answers to questions, by step: a JSON object
    #[arg(long, value_name = "FILE", help_heading = "People")]
    pub(super) answers: Option<PathBuf>,
    /// A folder where questions appear as files and answers are taken from
    #[arg(long, value_name = "DIR", help_heading = "People")]
    pub(super) mailbox: Option<PathBuf>,
    /// Run scripts that were written during the run
    #[arg(long, help_heading = "Permissions")]
    allow_generated_scripts: bool,
    /// Read files here too
    #[arg(long, value_name = "PATH", help_heading = "Permissions")]
    allow_read: Vec<PathBuf>,
    /// Write files here too
    #[arg(long, value_name = "PATH", help_heading = "Permissions")]
    allow_write: Vec<PathBuf>,
    /// Run these scripts and programs alone
    #[arg(long, value_name = "LIST", value_delimiter = ',', help_heading = "Permissions")]
    allow_run: Option<Vec<String>>,
    /// Run no script and no program
    #[arg(long, conflicts_with = "allow_run", help_heading = "Permissions")]
    deny_run: bool,
    /// Connect to no host
    #[arg(long, help_heading = "Permissions")]
    deny_net: bool,
    /// Name written files by absolute paths
    #[arg(long, help_heading = "Permissions")]
    absolute_paths: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CassetteMode {
    /// Replay what is recorded, call out for the rest and record it
    Auto,
    /// Call out, and record
    Record,
    /// Replay; a call that is not recorded fails
    Replay,
    /// Neither
    Off,
}

impl From<CassetteMode> for Mode {
    fn from(mode: CassetteMode) -> Self {
        match mode {
            CassetteMode::Auto => Self::Auto,
            CassetteMode::Record => Self::Record,
            CassetteMode::Replay => Self::Replay,
            CassetteMode::Off => Self::Off,
        }
    }
}

impl FacultyArguments {
    /// The agents file of a plan; an empty one when there is none.
    pub(super) fn agents(&self, plan: &Plan) -> Result<AgentFile, Exit> {
        // The source was named from where the run was started.
        let beside =
            Path::new(&plan.source).file_name().map_or_else(|| PathBuf::from("-"), |f| plan.base.join(f));
        agents::open(self.agents.as_deref(), &beside).map_err(|failed| {
            show(&failed.diagnostics, &SourceMap::default(), Severity::Warning);
            failed.exit
        })
    }

    /// The configuration of models.
    pub(super) fn config(&self, base: &Path, agents: &AgentFile) -> Result<Config, Exit> {
        let env = |name: &str| std::env::var(name).ok();
        let mut config =
            Config::discover(base, self.config.as_deref(), &env).map_err(|found| problems(&found))?;
        for provider in &agents.providers {
            config
                .add_provider_entry(&provider.entry, &agents.name, &env)
                .map_err(|found| problems(&found))?;
        }
        if let Some(model) = &self.model {
            config.use_model(model.as_str());
        }
        Ok(config)
    }

    /// The faculties of a run. `spent` is what its earlier processes have paid for models.
    pub(super) fn tools(
        &self,
        plan: &Plan,
        agents: AgentFile,
        jobs: usize,
        spent: Spent,
    ) -> Result<Arc<Tools>, Exit> {
        let config = self.config(&plan.base, &agents)?;
        let usage = |failure: &Failure| {
            complain(&failure.message, failure.help.as_deref());
            Exit::Usage
        };
        let max_cost = self.max_cost.as_deref().map(parse_cost).transpose().map_err(|f| usage(&f))?;
        let max_tokens = self.max_tokens.as_deref().map(parse_tokens).transpose().map_err(|f| usage(&f))?;
        let limits = Limits {
            max_cost: max_cost.map(Money::from_micros),
            max_tokens,
            // What others reserve and do not need comes back when they are answered.
            patience: PATIENCE,
            ..Limits::default()
        };
        let file = || plan.base.join(format!("{}.cassette.jsonl", plan.name));
        let cassette =
            self.cassette.map(|mode| (self.cassette_file.clone().unwrap_or_else(file), Mode::from(mode)));
        let options = ThinkOptions { config, base: plan.base.clone(), cassette, limits, spent };
        let models = Thinking::new(options).map_err(|error| match error {
            ThinkError::Config(failure) => {
                complain(&failure.message, failure.help.as_deref());
                Exit::BadData
            }
            ThinkError::Cassette(error) => cassette_exit(&error),
        })?;
        // A provider that cannot be used, for want of a key perhaps, is told by the step that wants it: a replay has no
        // need of it. A name that stands for nothing is a mistake in the command.
        let unknown = |failure: &Failure| failure.kind != FailureKind::BadConfiguration;
        if let Some(failure) = self.model.as_deref().and_then(|m| models.model(Some(m)).err()).filter(unknown)
        {
            return Err(usage(&failure));
        }
        let options = ToolOptions {
            jobs,
            models: Some(Arc::new(models)),
            agents,
            allow_read: self.allow_read.clone(),
            allow_write: self.allow_write.clone(),
            permissions: Permissions {
                deny_run: self.deny_run,
                deny_net: self.deny_net,
                allow_run: self.allow_run.clone(),
                allow_generated: self.allow_generated_scripts,
            },
            absolute_paths: self.absolute_paths,
            model: None,
            launcher: std::env::current_exe().ok(),
        };
        let tools = Tools::with(&plan.base, &plan.graph.model, options, Arc::new(WallClock));
        tools.map(Arc::new).map_err(|failure| {
            complain(&failure.message, failure.help.as_deref());
            Exit::NotFound
        })
    }
}

/// Says what is wrong with a cassette.
pub(super) fn cassette_exit(error: &CassetteError) -> Exit {
    complain(&error.to_string(), Some(&error.help()));
    match error {
        CassetteError::Locked { .. } => Exit::Locked,
        CassetteError::Missing { .. } => Exit::NotFound,
        CassetteError::Damaged { .. } | CassetteError::Newer { .. } => Exit::BadData,
        _ => Exit::InputOutput,
    }
}

fn problems(found: &[ConfigProblem]) -> Exit {
    for problem in found {
        complain(&problem.to_string(), problem.help.as_deref());
    }
    Exit::BadData
}
