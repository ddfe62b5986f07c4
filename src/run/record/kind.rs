//! The kinds of records.

/// The kind of a record. The numbers are part of the format and never change their meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Kind {
    /// The first record of a run: its id, its name, its plan.
    Run = 1,
    /// A step with calls is about to start.
    Intent = 2,
    /// A step ended with a value, or settled without one.
    Result = 3,
    /// A step failed.
    Failed = 4,
    /// A step was skipped.
    Skipped = 5,
    /// A person is asked something.
    Question = 8,
    /// What a step printed and how long it took.
    Log = 9,
    /// The run was stopped before its end.
    Suspended = 10,
    /// The run goes on, possibly with another plan or other inputs.
    Resumed = 11,
    /// Earlier records that no longer count, and why.
    Redo = 12,
    /// The journal was repaired.
    Repaired = 13,
    /// The run ended.
    End = 14,
    /// One call of a step came back, while others are still to come; or what it was must be kept.
    Call = 15,
}

impl Kind {
    /// All kinds. 6 and 7 are kept for cycles and values.
    pub const ALL: [Self; 13] = [
        Self::Run,
        Self::Intent,
        Self::Result,
        Self::Failed,
        Self::Skipped,
        Self::Question,
        Self::Log,
        Self::Suspended,
        Self::Resumed,
        Self::Redo,
        Self::Repaired,
        Self::End,
        Self::Call,
    ];

    /// The kind of a number, none for one this version does not know.
    pub fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == byte)
    }

    /// Returns whether it is about a step, and begins with it.
    pub fn is_of_step(self) -> bool {
        matches!(
            self,
            Self::Intent
                | Self::Result
                | Self::Failed
                | Self::Skipped
                | Self::Question
                | Self::Log
                | Self::Call
        )
    }

    /// Its word in lists and messages.
    pub fn word(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Intent => "intent",
            Self::Result => "result",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Question => "question",
            Self::Log => "log",
            Self::Suspended => "suspended",
            Self::Resumed => "resumed",
            Self::Redo => "redo",
            Self::Repaired => "repaired",
            Self::End => "end",
            Self::Call => "call",
        }
    }
}
