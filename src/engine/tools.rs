//! The faculties of one run, and which of them answers an effect. A failure of a faculty becomes a failure of the step
//! here.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::base::{Clock, Digest, Value};
use crate::faculty::command::{CommandCall, CommandOptions, Commands};
use crate::faculty::files::WriteLog;
use crate::faculty::permit::{Permissions, ScriptTrust};
use crate::faculty::python::{Mode, Pool, PoolOptions, PureBody, ScriptCall};
use crate::faculty::{CallIdentity, Failure, FailureKind, Output, Redactor, Script, builtin, memory};
use crate::repo::agents::{Agent, Needs};
use crate::repo::{Inference, Model, Semantic, Work};
use crate::run::effect::{CallAnswer, Contract, Effect, FileAct, ScriptCode, ScriptRun};
use crate::run::paradigm::Paradigm;
use crate::run::record::{CallPlace, ModelUse};
use crate::run::replay::Wrote;
use crate::run::{Graph, ItemId, Means, NoFiles, StepFailure};

use super::callback::Callback;
use super::came::{Came, Refused, step_failure};
use super::home::{Home, filled, tool_inputs};
use super::models::{Asker, Thinking};
use super::plan::paradigm_path;
use super::tool_options::ToolOptions;

/// Scripts by folder and path, as they were read the first time.
type Scripts = FxHashMap<(usize, Arc<str>), Result<Arc<Script>, Failure>>;
/// Paradigms by folder and name, as they were read the first time.
type Paradigms = BTreeMap<(Option<Arc<str>>, Arc<str>), Result<Arc<Paradigm>, StepFailure>>;

/// What a call is made with.
pub(super) struct Context<'a> {
    /// Seconds it may take.
    pub(super) timeout: Option<f64>,
    /// Which call it is, for whoever is called.
    pub(super) identity: Option<Arc<CallIdentity>>,
    /// The step, as people write it.
    pub(super) step: &'a str,
    /// Its inference.
    pub(super) item: ItemId,
    /// Its round.
    pub(super) round: u32,
    /// Which of its calls.
    pub(super) place: CallPlace,
    /// Where a script can ask for more.
    pub(super) callback: Option<&'a Callback>,
}

/// The faculties of one run.
pub struct Tools {
    /// The folders files stand in: that of the plan first, then those that agents have for themselves.
    homes: Vec<Home>,
    /// Of every inference, which of them.
    places: Vec<usize>,
    python: Pool,
    commands: Commands,
    models: Option<Arc<Thinking>>,
    /// Of every inference, who does it.
    agents: Vec<Arc<Agent>>,
    /// Of every inference, what it says of replies that cannot be read.
    retries: Vec<Option<u32>>,
    model: Option<Arc<str>>,
    permissions: Permissions,
    trust: ScriptTrust,
    writes: WriteLog,
    absolute_paths: bool,
    redactor: Arc<Redactor>,
    clock: Arc<dyn Clock>,
    scripts: Mutex<Scripts>,
    paradigms: Mutex<Paradigms>,
}

impl Tools {
    /// Faculties for scripts that stand under `base`, with at most `jobs` scripts at once: no models, nobody to ask. No
    /// process is started before it is needed.
    ///
    /// # Errors
    /// When there is no such folder.
    pub fn new(base: &Path, jobs: usize, clock: Arc<dyn Clock>) -> Result<Self, Failure> {
        Self::with(base, &Model::default(), ToolOptions { jobs, ..ToolOptions::default() }, clock)
    }

    /// Faculties for a plan.
    ///
    /// # Errors
    /// When there is no such folder, or one of the other paths cannot be opened.
    pub fn with(
        base: &Path,
        model: &Model,
        options: ToolOptions,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Failure> {
        let mut homes = vec![Home::open(base, String::new(), &options)?];
        let agents: Vec<Arc<Agent>> =
            model.inferences.iter().map(|inference| options.agents.resolve(inference, model)).collect();
        let retries = model.inferences.iter().map(|i| semantic(&i.work).and_then(|s| s.reply_retries));
        let mut places = Vec::with_capacity(agents.len());
        let mut known: Vec<&str> = vec![""];
        for agent in &agents {
            let folder = agent.file_system.base_dir.as_deref().unwrap_or_default();
            let place = match known.iter().position(|k| *k == folder) {
                Some(place) => place,
                None => {
                    homes.push(Home::of_agent(base, agent, folder, &options)?);
                    known.push(folder);
                    known.len() - 1
                }
            };
            places.push(place);
        }
        let redactor = options.models.as_ref().map(|models| Arc::clone(models.redactor()));
        let launcher = options.launcher;
        Ok(Self {
            homes,
            places,
            python: Pool::new(PoolOptions { workers: options.jobs, ..PoolOptions::new(base) }),
            commands: Commands::new(CommandOptions { launcher, ..CommandOptions::new(base) }),
            models: options.models,
            agents,
            retries: retries.collect(),
            model: options.model,
            permissions: options.permissions,
            trust: ScriptTrust::new(),
            writes: WriteLog::new(),
            absolute_paths: options.absolute_paths,
            redactor: redactor.unwrap_or_default(),
            clock,
            scripts: Mutex::new(Scripts::default()),
            paradigms: Mutex::new(Paradigms::default()),
        })
    }

    /// What the preparation of a step of an inference reads.
    pub fn means(&self, item: ItemId) -> StepMeans<'_> {
        StepMeans { tools: self, item }
    }

    /// The paradigm a step names, from its agent's folder or built in; none when there is none that can be used.
    pub fn paradigm_of(&self, graph: &Graph, inference: &Inference, name: &str) -> Option<Arc<Paradigm>> {
        self.means(item_of(graph, inference)?).paradigm(name).ok()
    }

    /// The model a step asks when it asks one; none when none is configured.
    pub fn model_of(&self, graph: &Graph, inference: &Inference) -> Option<Arc<str>> {
        let own = semantic(&inference.work).and_then(|s| s.model.as_deref());
        let name = self.model_name(item_of(graph, inference)?, own);
        self.models.as_ref()?.model(name).ok().map(|info| info.name)
    }

    /// Models that steps name and that stand for nothing, each with the failure its step would have. What is replayed
    /// needs no model.
    pub fn unknown_models(&self, graph: &Graph) -> Vec<(ItemId, Failure)> {
        let Some(models) = self.models.as_ref().filter(|models| !models.replays()) else { return Vec::new() };
        let named = |inference: &Inference| {
            let name = semantic(&inference.work)?.model.as_deref()?;
            // A provider that lacks its key is told by the step that asks it.
            let failure = models.model(Some(name)).err()?;
            (failure.kind != FailureKind::BadConfiguration).then_some(failure)
        };
        let all = graph.model.inferences.iter().enumerate();
        all.filter_map(|(at, inference)| Some((ItemId(at as u32), named(inference)?))).collect()
    }

    /// The model of a step: its own, else its agent's, else that of the run.
    fn model_name<'a>(&'a self, item: ItemId, own: Option<&'a str>) -> Option<&'a str> {
        let agent = self.agent(item).and_then(|a| a.model.as_deref()).filter(|m| *m != "demo");
        own.or(agent).or(self.model.as_deref())
    }

    /// The models of the run.
    pub fn models(&self) -> Option<&Arc<Thinking>> {
        self.models.as_ref()
    }

    /// Notes what was written into a file in an earlier process of the run, by its hash.
    pub(super) fn note_written(&self, content: Digest) {
        self.trust.written_digest(content);
    }

    /// Notes that a step, called so, has written a file in an earlier process of the run.
    pub(super) fn note_writer(&self, wrote: &Wrote, step: &str) {
        let home = self.home(wrote.step.item);
        let path = match &wrote.folder {
            None => home.root.written_path(&wrote.path),
            Some(folder) => home.root.written_path_in(folder, &wrote.path),
        };
        // A path that is no longer allowed is refused when it is written, and writers of old may not disagree.
        if let Ok(path) = path {
            let _ = self.writes.note(&home.key(&path), (step, wrote.cell), u64::from(wrote.round));
        }
    }

    /// Does what an effect asks, and takes the time it takes.
    ///
    /// # Errors
    /// The faculty's failure, as a failure of the step.
    pub(super) fn call(&self, effect: &Effect, context: &Context<'_>) -> Result<Came, Refused> {
        if effect.is_quick() {
            return self.quick(effect, context.item).map(Came::at_once).map_err(Refused::from);
        }
        self.may(context.item, effect)?;
        let came = match effect {
            Effect::Generate(generate) => self.generate(generate, context)?,
            _ => self.ask(effect, context).map_err(|failure| Refused::from(self.failure(failure)))?,
        };
        Ok(self.without_secrets(came))
    }

    /// What came back without the keys of providers: a server may tell the header of its request, a script may read the
    /// file of a key. Before anything is made of it, so that neither the journal nor a later step sees one.
    fn without_secrets(&self, came: Came) -> Came {
        if self.redactor.is_empty() {
            return came;
        }
        let Came { answer, output, duration, model } = came;
        let clean = |text: String| match self.redactor.redact(&text) {
            Cow::Borrowed(_) => text,
            Cow::Owned(clean) => clean,
        };
        Came {
            answer: CallAnswer {
                value: self.redactor.redact_value(answer.value),
                text: answer.text.map(|text| Arc::from(self.redactor.redact(&text))),
            },
            output: Output { stdout: clean(output.stdout), stderr: clean(output.stderr) },
            duration,
            model: model.map(|model| Box::new(ModelUse { answered: clean(model.answered), ..*model })),
        }
    }

    /// What a person answered, without the keys of providers.
    pub(super) fn given(&self, value: Value) -> CallAnswer {
        CallAnswer::of(self.redactor.redact_value(value))
    }

    /// Does what can be done at once.
    ///
    /// # Errors
    /// The faculty's failure, as a failure of the step.
    pub(super) fn quick(&self, effect: &Effect, item: ItemId) -> Result<CallAnswer, StepFailure> {
        self.may(item, effect)?;
        let root = &self.home(item).root;
        let answer = match effect {
            Effect::Builtin { name, inputs } => {
                let inputs: SmallVec<[Value; 4]> = inputs.iter().map(|(_, value)| value.clone()).collect();
                builtin::call(name, &inputs, self.clock.as_ref())
            }
            Effect::File(FileAct::Read { path }) => root.read_text(path).map(Value::Text),
            Effect::File(FileAct::Exists { path }) => root.exists(path).map(Value::Bool),
            Effect::File(FileAct::List { path }) => {
                root.list(path).map(|files| Value::list(files.into_iter().map(Value::Text)))
            }
            Effect::File(FileAct::Recall { key, file }) => memory::recall(root, key, file.as_deref()),
            other => Err(not_offered(other)),
        };
        match answer {
            // It only knows what the values had in them before.
            Ok(value) if effect.is_pure() => Ok(CallAnswer::of(value)),
            Ok(value) => Ok(CallAnswer::of(self.redactor.redact_value(value))),
            Err(failure) => Err(self.failure(failure)),
        }
    }

    fn generate(
        &self,
        generate: &crate::run::effect::Generate,
        context: &Context<'_>,
    ) -> Result<Came, Refused> {
        let Some(models) = &self.models else {
            let failure = Failure::new(FailureKind::NoModelConfigured, "no language model is configured");
            return Err(Refused::from(self.failure(failure)));
        };
        let agent = self.agent(context.item);
        let name = self.model_name(context.item, generate.model.as_deref());
        // What is replayed needs no host.
        if !models.replays()
            && let Some(address) = models.model(name).map_err(|failure| self.failure(failure))?.address
        {
            self.permissions.may_connect(host(&address)).map_err(|failure| self.failure(failure))?;
        }
        let asker = Asker {
            step: context.step,
            place: context.place,
            identity: context.identity.as_deref(),
            timeout: context.timeout.and_then(|s| Duration::try_from_secs_f64(s).ok()),
            temperature: agent.and_then(|a| a.temperature),
            max_tokens: agent.and_then(|a| a.max_tokens),
        };
        models.generate(generate, name, &asker)
    }

    fn ask(&self, effect: &Effect, context: &Context<'_>) -> Result<Came, Failure> {
        let timeout = context.timeout.and_then(|s| Duration::try_from_secs_f64(s).ok());
        match effect {
            Effect::Script(run) => self.run_script(run, context, timeout),
            Effect::Command(command) => {
                let program = command.argv.first().map_or("", |p| &**p);
                self.permissions.may_run(program)?;
                let call = CommandCall {
                    argv: &command.argv,
                    inputs: &command.inputs,
                    json: command.json,
                    timeout,
                    identity: context.identity.as_deref(),
                };
                self.commands.run(&call).map(Came::from)
            }
            Effect::Tool { tool, method, args } => {
                let command = self.agent(context.item).and_then(|agent| agent.tool(tool));
                let Some(command) = command else { return Err(not_offered(effect)) };
                let inputs = tool_inputs(method, args);
                let argv = filled(&command.argv, &inputs, tool)?;
                self.permissions.may_run(argv.first().map_or("", |p| &**p))?;
                let identity = context.identity.as_deref();
                let call =
                    CommandCall { argv: &argv, inputs: &inputs, json: command.json, timeout, identity };
                self.commands.run(&call).map(Came::from)
            }
            Effect::File(act) => self.write(act, context).map(|value| Came::at_once(CallAnswer::of(value))),
            other => Err(not_offered(other)),
        }
    }

    fn run_script(
        &self,
        run: &ScriptRun,
        context: &Context<'_>,
        timeout: Option<Duration>,
    ) -> Result<Came, Failure> {
        let script = match &run.code {
            ScriptCode::File(path) => self.script(context.item, path)?,
            ScriptCode::Text { path, code } => Arc::new(Script {
                path: path.clone().unwrap_or_else(|| Arc::from("generated script")),
                hash: hash_of(code),
                code: Arc::clone(code),
            }),
        };
        let path = match &run.code {
            ScriptCode::File(path) => Some(&**path),
            ScriptCode::Text { path, .. } => path.as_deref(),
        };
        self.trust.check(path, &script.code, &self.permissions)?;
        let own = self.agent(context.item).map(|a| a.python.timeout);
        let timeout = timeout.or_else(|| own.and_then(|s| Duration::try_from_secs_f64(s).ok()));
        let body = context.callback.map(|callback| PureBody::new(callback));
        let call = ScriptCall {
            path: &script.path,
            code: &script.code,
            hash: &script.hash,
            mode: match &run.contract {
                Contract::Globals => Mode::Execute,
                Contract::Function(name) => Mode::Call(name),
            },
            inputs: &run.inputs,
            timeout,
            identity: context.identity.as_deref(),
            body: body.as_ref().map(|body| body as _),
        };
        self.python.call(&call).map(Came::from)
    }

    fn write(&self, act: &FileAct, context: &Context<'_>) -> Result<Value, Failure> {
        let home = self.home(context.item);
        let root = &home.root;
        let who = (context.step, context.place.cell);
        let round = u64::from(context.round);
        match act {
            FileAct::Save { path, content } => {
                let written = root.written_path(path)?;
                let save = || {
                    self.trust.written(content.as_bytes());
                    root.save(path, content.as_bytes())
                };
                let saved = self.writes.write(&home.key(&written), who, round, save)?;
                Ok(Value::Text(saved.unwrap_or(written)))
            }
            FileAct::SaveMany { folder, files } => {
                let paths = root.written_paths(folder, files)?;
                paths.iter().try_for_each(|path| self.writes.note(&home.key(path), who, round))?;
                files.iter().for_each(|(_, content)| self.trust.written(content.as_bytes()));
                let saved = root.save_many(folder, files)?;
                Ok(Value::list(saved.into_iter().map(Value::Text)))
            }
            FileAct::Memorize { key, value, file } => {
                memory::memorize(root, key, value, file.as_deref()).map(|()| Value::Null)
            }
            _ => Err(not_offered(&Effect::File(act.clone()))),
        }
    }

    /// A script by its path, read once a run, so that all steps run the same bytes.
    fn script(&self, item: ItemId, path: &Arc<str>) -> Result<Arc<Script>, Failure> {
        let key = (self.place(item), Arc::clone(path));
        let mut scripts = self.scripts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = scripts.get(&key) {
            return known.clone();
        }
        let read = self
            .home(item)
            .root
            .read_text(path)
            .map(|code| Arc::new(Script { path: Arc::clone(path), hash: hash_of(&code), code }));
        // A file that is not there yet may be written by a step.
        if read.is_ok() {
            scripts.insert(key, read.clone());
        }
        read
    }

    /// What tells a file from every other one, whichever way its path is written.
    pub(super) fn file_key(&self, item: ItemId, path: &Arc<str>) -> Arc<str> {
        let home = self.home(item);
        home.key(&home.root.written_path(path).unwrap_or_else(|_| Arc::clone(path)))
    }

    fn place(&self, item: ItemId) -> usize {
        self.places.get(item.at()).copied().unwrap_or_default()
    }

    /// The folder in which the files of an inference's steps stand.
    fn home(&self, item: ItemId) -> &Home {
        self.homes.get(self.place(item)).unwrap_or(&self.homes[0])
    }

    /// Whether the agent of a step lets it ask for something. What a plan needs is compared with its agents before the
    /// run; scripts ask for what they like.
    ///
    /// # Errors
    /// `not_allowed`, with the switch.
    pub(super) fn may(&self, item: ItemId, effect: &Effect) -> Result<(), StepFailure> {
        let Some(agent) = self.agent(item) else { return Ok(()) };
        let needs = match effect {
            Effect::File(_) => Needs { files: true, ..Needs::default() },
            Effect::Script(_) => Needs { python: true, ..Needs::default() },
            Effect::Ask(_) => Needs { person: true, ..Needs::default() },
            _ => return Ok(()),
        };
        let lacks = agent.lacks(needs);
        let Some(tool) = lacks.first() else { return Ok(()) };
        let message = format!("the agent `{}` may not use `{tool}`, which the step asks for", agent.id);
        let help = format!("switch `tools.{tool}` on in the agents file, or give the step to another agent");
        Err(StepFailure::new(FailureKind::NotAllowed.as_str(), message).help(help))
    }

    fn agent(&self, item: ItemId) -> Option<&Arc<Agent>> {
        self.agents.get(item.at())
    }

    /// How many calls of models may be out at once.
    pub(super) fn models_at_once(&self) -> usize {
        self.models.as_ref().map_or(1, |models| models.most_at_once())
    }

    /// The hash of a script's bytes as they are run, none when it cannot be read.
    pub(super) fn script_hash(&self, item: ItemId, path: &Arc<str>) -> Option<Arc<str>> {
        self.script(item, path).ok().map(|script| Arc::clone(&script.hash))
    }

    /// Sends nothing more to models: calls that wait for their turn are given back, those that were sent go on.
    pub(super) fn hold(&self) {
        if let Some(models) = &self.models {
            models.hold();
        }
    }

    /// Ends all calls that run, and refuses all later ones. Waits for nothing.
    pub fn interrupt(&self) {
        self.python.interrupt();
        self.commands.interrupt();
        if let Some(models) = &self.models {
            models.interrupt();
        }
    }

    /// Ends all workers.
    pub fn shutdown(&self) {
        self.python.shutdown();
    }

    fn failure(&self, failure: Failure) -> StepFailure {
        step_failure(&self.redactor.redact_failure(failure))
    }
}

/// What the preparation of one inference's steps reads.
pub struct StepMeans<'a> {
    tools: &'a Tools,
    item: ItemId,
}

impl Means for StepMeans<'_> {
    fn paradigm(&self, name: &str) -> Result<Arc<Paradigm>, StepFailure> {
        let tools = self.tools;
        let folder = tools.agent(self.item).and_then(|a| a.paradigm_dir.clone());
        let key = (folder.clone(), Arc::from(name));
        let mut known = tools.paradigms.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(paradigm) = known.get(&key) {
            return paradigm.clone();
        }
        let own = paradigm_path(folder.as_deref(), name)
            .filter(|path| tools.homes[0].root.exists(path) == Ok(true));
        let paradigm = match own {
            Some(path) => tools.homes[0]
                .root
                .read_text(&path)
                .map_err(|failure| tools.failure(failure))
                .and_then(|text| Paradigm::read(name, &text).map_err(|found| bad_paradigm(&path, &found)))
                .map(Arc::new),
            None => NoFiles.paradigm(name),
        };
        known.insert(key, paradigm.clone());
        paradigm
    }

    fn pinned(&self, path: &str) -> Result<Arc<str>, StepFailure> {
        let script = self.tools.script(self.item, &Arc::from(path));
        script.map(|s| Arc::clone(&s.code)).map_err(|failure| self.tools.failure(failure))
    }

    fn text(&self, path: &str) -> Result<Arc<str>, StepFailure> {
        let text =
            self.tools.home(self.item).root.read_text(path).map_err(|failure| self.tools.failure(failure))?;
        Ok(match self.tools.redactor.redact(&text) {
            Cow::Borrowed(_) => text,
            Cow::Owned(clean) => Arc::from(clean),
        })
    }

    fn base_dir(&self) -> &str {
        &self.tools.home(self.item).base
    }

    fn absolute_paths(&self) -> bool {
        self.tools.absolute_paths
    }

    fn reply_retries(&self) -> u32 {
        let own = self.tools.retries.get(self.item.at()).copied().flatten();
        own.unwrap_or_else(|| {
            let name = self.tools.model_name(self.item, None);
            let model = self.tools.models.as_ref().and_then(|models| models.model(name).ok());
            model.map_or(1, |info| info.reply_retries)
        })
    }
}

fn item_of(graph: &Graph, inference: &Inference) -> Option<ItemId> {
    let at = graph.model.inferences.binary_search_by(|known| known.flow.cmp(&inference.flow)).ok()?;
    Some(ItemId(at as u32))
}

fn semantic(work: &Work) -> Option<&Semantic> {
    match work {
        Work::Semantic(semantic) => Some(semantic),
        _ => None,
    }
}

fn bad_paradigm(path: &str, found: &[crate::run::paradigm::Problem]) -> StepFailure {
    let first = found.first();
    let kind = first.map_or("unknown_paradigm", |p| p.kind);
    let lines: Vec<String> = found.iter().map(|p| format!("{path}: {}", p.message)).collect();
    let failure = StepFailure::new(kind, lines.first().cloned().unwrap_or_default());
    let mut failure = match first.and_then(|p| p.help.clone()) {
        Some(help) => failure.help(help),
        None => failure,
    };
    failure.detail = (lines.len() > 1).then(|| lines.join("\n").into());
    failure
}

fn hash_of(code: &str) -> Arc<str> {
    Arc::from(Digest::of(code.as_bytes()).to_string())
}

/// The host of an address.
fn host(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or(rest)
}

fn not_offered(effect: &Effect) -> Failure {
    let what = match effect {
        Effect::Tool { tool, method, .. } => format!("{tool}.{method}"),
        other => other.described().0.to_owned(),
    };
    Failure::new(FailureKind::UnsupportedAffordance, format!("`{what}` is not offered")).with_help(
        "name a program for it in the agents file: \"custom\": {\"TOOL\": {\"settings\": {\"command\": [\"program\", \
         \"{method}\"]}}}",
    )
}
