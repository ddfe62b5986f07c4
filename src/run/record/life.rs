//! Records about the run as a whole: how it began, was stopped, went on, and ended.

use crate::base::{Digest, Reader, WireError, Writer};

use super::super::event::StepKey;
use super::super::graph::ItemId;
use super::step::{read_step_key, write_step};
use super::{Kind, Record};

/// The first record of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunInfo {
    /// The run's id.
    pub id: String,
    /// The name the user gave it, if any.
    pub name: Option<String>,
    /// How it was started.
    pub epoch: Epoch,
}

/// With what a run goes, from its start or from a resumption to the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Epoch {
    /// When it began, in milliseconds since 1970.
    pub at: u64,
    /// The process.
    pub pid: u32,
    /// The version of normc.
    pub version: String,
    /// The compiled plan, by its hash.
    pub plan: Digest,
    /// The [`Setting`](super::Setting) it goes with, by its hash.
    pub setting: Digest,
    /// The plan's name; with `base` it tells the runs of one plan.
    pub name: String,
    /// The file the plan came from, as the user named it.
    pub source: String,
    /// The plan's base directory, absolute.
    pub base: String,
    /// How earlier results were treated.
    pub mode: Mode,
}

/// What a resumption does with the results so far (runtime spec, section 15.3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mode {
    /// Keeps what does not depend on anything that changed.
    #[default]
    Patch,
    /// Keeps everything, data included.
    Overwrite,
    /// Keeps everything; new data win over old ones for what is still to come.
    FillGaps,
}

impl Mode {
    /// Its word on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Patch => "patch",
            Self::Overwrite => "overwrite",
            Self::FillGaps => "fill-gaps",
        }
    }
}

/// Earlier records that no longer count, and why. Items are those of the epoch that ends with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redo {
    /// Which.
    pub what: Redone,
    /// Why, in a few words.
    pub reason: String,
}

/// What is to be done again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redone {
    /// All steps of an inference.
    Item(ItemId),
    /// One step.
    Step(StepKey),
    /// Every step of a round above this one.
    Above(u32),
    /// A step that failed: the failure does not count any more, what its cells have done before it does.
    Retry(StepKey),
}

/// Why and how a run was stopped before its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspension {
    /// When, in milliseconds since 1970.
    pub at: u64,
    /// Why: `SIGINT`, `SIGTERM`, `limit`.
    pub reason: String,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// When, in milliseconds since 1970.
    pub at: u64,
    /// `completed`, `stuck`, `failed`.
    pub status: String,
    /// The highest round.
    pub cycles: u32,
    /// Steps that ended by running.
    pub completed: u64,
    /// Steps that were skipped.
    pub skipped: u64,
}

pub(super) fn write(record: &Record) -> Option<(Kind, Vec<u8>)> {
    let mut out = Writer::default();
    let kind = match record {
        Record::Run(info) => {
            out.text(&info.id);
            out.optional(info.name.as_deref());
            write_epoch(&mut out, &info.epoch);
            Kind::Run
        }
        Record::Resumed(epoch) => {
            write_epoch(&mut out, epoch);
            Kind::Resumed
        }
        Record::Suspended(suspension) => {
            out.number(suspension.at);
            out.text(&suspension.reason);
            Kind::Suspended
        }
        Record::Redo(entries) => {
            out.number(entries.len() as u64);
            entries.iter().for_each(|entry| write_redo(&mut out, entry));
            Kind::Redo
        }
        Record::Repaired(what) => {
            out.text(what);
            Kind::Repaired
        }
        Record::End(ending) => {
            out.number(ending.at);
            out.text(&ending.status);
            out.number(u64::from(ending.cycles));
            out.number(ending.completed);
            out.number(ending.skipped);
            Kind::End
        }
        Record::Intent(_) | Record::Step(_) | Record::Log(_) | Record::Call(_) | Record::Question(_) => {
            return None;
        }
    };
    Some((kind, out.bytes))
}

fn write_epoch(out: &mut Writer, epoch: &Epoch) {
    out.number(epoch.at);
    out.number(u64::from(epoch.pid));
    out.text(&epoch.version);
    out.digest(&epoch.plan);
    out.digest(&epoch.setting);
    out.text(&epoch.name);
    out.text(&epoch.source);
    out.text(&epoch.base);
    out.byte(match epoch.mode {
        Mode::Patch => 0,
        Mode::Overwrite => 1,
        Mode::FillGaps => 2,
    });
}

fn write_redo(out: &mut Writer, entry: &Redo) {
    match &entry.what {
        Redone::Item(item) => {
            out.byte(0);
            out.number(u64::from(item.0));
        }
        Redone::Step(step) => {
            out.byte(1);
            write_step(out, step);
        }
        Redone::Above(round) => {
            out.byte(2);
            out.number(u64::from(*round));
        }
        Redone::Retry(step) => {
            out.byte(3);
            write_step(out, step);
        }
    }
    out.text(&entry.reason);
}

pub(super) fn read_run(reader: &mut Reader<'_>) -> Result<RunInfo, WireError> {
    let id = reader.text()?.to_owned();
    let name = reader.optional()?.map(str::to_owned);
    Ok(RunInfo { id, name, epoch: read_epoch(reader)? })
}

pub(super) fn read_epoch(reader: &mut Reader<'_>) -> Result<Epoch, WireError> {
    let (at, pid, version) = (reader.number()?, reader.small()?, reader.text()?.to_owned());
    let (plan, setting) = (reader.digest()?, reader.digest()?);
    let name = reader.text()?.to_owned();
    let (source, base) = (reader.text()?.to_owned(), reader.text()?.to_owned());
    let mode = match reader.byte()? {
        0 => Mode::Patch,
        1 => Mode::Overwrite,
        2 => Mode::FillGaps,
        _ => return Err(WireError::Bad("an unknown mode")),
    };
    Ok(Epoch { at, pid, version, plan, setting, name, source, base, mode })
}

pub(super) fn read_redo(reader: &mut Reader<'_>) -> Result<Vec<Redo>, WireError> {
    let mut entries = Vec::new();
    for _ in 0..reader.count()? {
        let what = match reader.byte()? {
            0 => Redone::Item(ItemId(reader.small()?)),
            1 => Redone::Step(read_step_key(reader)?),
            2 => Redone::Above(reader.small()?),
            3 => Redone::Retry(read_step_key(reader)?),
            _ => return Err(WireError::Bad("an unknown scope of what is to be done again")),
        };
        entries.push(Redo { what, reason: reader.text()?.to_owned() });
    }
    Ok(entries)
}

pub(super) fn read_suspension(reader: &mut Reader<'_>) -> Result<Suspension, WireError> {
    Ok(Suspension { at: reader.number()?, reason: reader.text()?.to_owned() })
}

pub(super) fn read_ending(reader: &mut Reader<'_>) -> Result<Ending, WireError> {
    Ok(Ending {
        at: reader.number()?,
        status: reader.text()?.to_owned(),
        cycles: reader.small()?,
        completed: reader.number()?,
        skipped: reader.number()?,
    })
}
