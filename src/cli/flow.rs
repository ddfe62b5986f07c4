//! `normc flow --from '{a}' --to '{b}' PLAN`: whether data get from one concept to another, and by which steps.

use std::fmt::Write;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use crate::repo::ConceptId;
use crate::report::drawing::operation;
use crate::report::plain_line;
use crate::run::Graph;
use crate::run::flow::{Flow, How, Influence, MOST_WAYS, Way, Ways};

use super::Exit;
use super::output::{Form, count, print};
use super::subject::{PlanArgument, concept};

/// So many names are listed before they are only counted.
const LISTED: usize = 12;

/// Tell whether data can get from one concept to another, and by which steps
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  normc flow --from '{question}' --to '{answer}' plan.nc\n  normc flow --from key --to \
                        log --forbid --control plan.nc\n  normc flow --from a --to b --all --format json plan.json\n\n\
                        Exit code 0 when data can get there, 1 when not; the other way round with --forbid. 66 for a \
                        concept the plan does not have."
)]
pub(super) struct Arguments {
    /// The concept whose data are followed; brackets may be left out where no other concept has the name
    #[arg(long, value_name = "NAME")]
    from: String,
    /// The concept they may get to
    #[arg(long, value_name = "NAME")]
    to: String,
    #[command(flatten)]
    plan: PlanArgument,
    /// Count conditions and waiting too: what decides whether a step runs, though not what it gives
    #[arg(long)]
    control: bool,
    /// Show all ways, not only the best
    #[arg(long)]
    all: bool,
    /// It must not: exit code 1 when data can get there
    #[arg(long)]
    forbid: bool,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Form,
}

pub(super) fn run(arguments: &Arguments) -> Exit {
    look(arguments).unwrap_or_else(|exit| exit)
}

fn look(arguments: &Arguments) -> Result<Exit, Exit> {
    let opened = arguments.plan.open()?;
    let graph = Graph::new(Arc::new(opened.model));
    let (from, to) = (concept(&graph, &arguments.from)?, concept(&graph, &arguments.to)?);
    let weakest = if arguments.control { Influence::Control } else { Influence::Count };
    let answer = Answer { flow: Flow::new(&graph), graph: &graph, from, to, weakest };
    let ways = answer.flow.ways(from, to, weakest, MOST_WAYS);
    let text = match arguments.format {
        Form::Human if ways.ways.is_empty() => answer.no(),
        Form::Human => answer.yes(&ways, arguments.all),
        Form::Json => format!("{:#}\n", answer.json(&ways, arguments.all)),
    };
    print(&text)?;
    let good = ways.ways.is_empty() == arguments.forbid;
    Ok(if good { Exit::Done } else { Exit::Failed })
}

/// What is known, to be told.
struct Answer<'a> {
    graph: &'a Graph,
    flow: Flow<'a>,
    from: ConceptId,
    to: ConceptId,
    weakest: Influence,
}

impl Answer<'_> {
    /// A name on one line: it may hold anything.
    fn name(&self, concept: ConceptId) -> String {
        plain_line(self.graph.concept_name(concept)).into_owned()
    }

    fn yes(&self, ways: &Ways, all: bool) -> String {
        let (from, to) = (self.name(self.from), self.name(self.to));
        let Some(best) = ways.ways.first() else { return String::new() };
        if best.steps.is_empty() {
            return format!("{from} and {to} are one concept\n");
        }
        let verb = match best.influence() {
            Influence::Data => "gets to",
            Influence::Count => "decides how much there is of",
            Influence::Control => "decides whether there is",
        };
        let mut out = format!("{from} {verb} {to} in {}\n", count(best.steps.len(), "step"));
        let shown = if all { ways.ways.len() } else { 1 };
        for way in ways.ways.iter().take(shown) {
            out.push('\n');
            self.way(way, &mut out);
        }
        let others = ways.ways.len().saturating_sub(1);
        if !ways.complete {
            let _ = writeln!(out, "\nmore than {} in all{}", count(ways.ways.len(), "way"), hint(all));
        } else if others > 0 && !all {
            let _ = writeln!(out, "\n{}{}", count(others, "other way"), hint(all));
        }
        out
    }

    fn way(&self, way: &Way, out: &mut String) {
        let _ = writeln!(out, "  {}", self.name(way.from));
        for step in &way.steps {
            let inference = self.graph.inference(step.item);
            let text = operation(&self.graph.model, inference);
            let text = plain_line(&text);
            let _ = write!(out, "    {} {}: {text}", inference.flow, inference.sequence);
            let _ = match words(step.how) {
                "" => writeln!(out),
                words => writeln!(out, " ({words})"),
            };
            // What only names a function is no stop a reader knows.
            let value = |c: &ConceptId| {
                self.graph.model.concepts.get(c.0 as usize).is_some_and(|c| c.kind.is_value())
            };
            if let Some(concept) = step.gives.filter(value) {
                let _ = writeln!(out, "  {}", self.name(concept));
            }
        }
    }

    fn no(&self) -> String {
        let (from, to) = (self.name(self.from), self.name(self.to));
        let mut out = format!("nothing of {from} gets to {to}\n");
        let reaches = self.flow.reaches(self.from, self.weakest);
        let sources = self.flow.sources(self.to, self.weakest);
        let _ = match self.list(&reaches) {
            list if reaches.is_empty() => writeln!(out, "  {from} gets to no other concept{list}"),
            list => writeln!(out, "  {from} gets to: {list}"),
        };
        let _ = match self.list(&sources) {
            list if sources.is_empty() => writeln!(out, "  {to} comes from no other concept{list}"),
            list => writeln!(out, "  {to} comes from: {list}"),
        };
        if self.weakest < Influence::Control
            && self.flow.shortest(self.from, self.to, Influence::Control).is_some()
        {
            let _ = writeln!(out, "  help: it has a say in whether there is {to}; `--control` shows how");
        }
        out
    }

    fn list(&self, concepts: &[ConceptId]) -> String {
        let mut names: Vec<String> = concepts.iter().take(LISTED).map(|c| self.name(*c)).collect();
        if concepts.len() > LISTED {
            names.push(format!("and {} more", concepts.len() - LISTED));
        }
        names.join(", ")
    }

    fn json(&self, ways: &Ways, all: bool) -> Json {
        let name = |c: ConceptId| self.graph.concept_name(c).to_string();
        let names = |list: Vec<ConceptId>| list.into_iter().map(name).collect::<Vec<_>>();
        let step = |s: &crate::run::flow::Step| {
            let inference = self.graph.inference(s.item);
            json!({
                "flow_index": inference.flow.to_string(),
                "sequence": &*inference.sequence,
                "how": s.how.word(),
                "influence": s.influence.word(),
                "gives": s.gives.map(name),
            })
        };
        let way = |w: &Way| json!({ "influence": w.influence().word(), "steps": w.steps.iter().map(step).collect::<Vec<_>>() });
        let shown = if all { ways.ways.len() } else { 1 };
        json!({
            "from": name(self.from),
            "to": name(self.to),
            "flows": !ways.ways.is_empty(),
            "influence": ways.ways.first().map(|w| w.influence().word()),
            "ways": ways.ways.iter().take(shown).map(way).collect::<Vec<_>>(),
            "count": ways.ways.len(),
            "complete": ways.complete,
            "reaches": names(self.flow.reaches(self.from, self.weakest)),
            "comes_from": names(self.flow.sources(self.to, self.weakest)),
        })
    }
}

fn hint(all: bool) -> &'static str {
    if all { "" } else { "; `--all` shows them" }
}

/// What a step does with what it gets, for people; nothing where the operation says it.
fn words(how: How) -> &'static str {
    match how {
        How::Passed => "",
        How::Destination => "what it appends to",
        How::Context => "its axes count",
        How::Function => "its function",
        How::Element => "each element",
        How::Collected => "collected over the rounds",
        How::Rounds => "as many rounds as it has elements",
        How::Round => "in every round",
        How::Filter => "filters what it sees",
        How::Waited => "waited for, not seen",
        How::Asked => "asked by the gate",
        How::Guarded => "guarded by it",
    }
}
