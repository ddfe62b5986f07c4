//! What is done with a cassette. Knows no file.

use std::fmt;
use std::str::FromStr;

use crate::base::nearest;
use crate::faculty::failure::shorten;
use crate::faculty::{Failure, FailureKind};

/// What is done with a cassette (semantics spec, section 14.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mode {
    /// Every call goes out, nothing is recorded.
    #[default]
    Off,
    /// What is not recorded goes out and is recorded.
    Record,
    /// What is not recorded fails.
    Replay,
    /// As `record`, but the file is locked and written only when something is recorded.
    Auto,
}

impl Mode {
    /// Every mode.
    pub const ALL: [Self; 4] = [Self::Off, Self::Record, Self::Replay, Self::Auto];

    /// Its word on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Record => "record",
            Self::Replay => "replay",
            Self::Auto => "auto",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Mode {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        if let Some(mode) = Self::ALL.into_iter().find(|mode| mode.word() == text) {
            return Ok(mode);
        }
        let message = format!("`{}` is no mode of a cassette", shorten(text));
        let help = match nearest(text, Self::ALL.map(Self::word)) {
            Some(word) => format!("write `{word}`"),
            None => "write `record`, `replay`, `auto` or `off`".to_owned(),
        };
        Err(Failure::new(FailureKind::BadArguments, message).with_help(help))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_read_as_they_are_written() {
        for mode in Mode::ALL {
            assert_eq!(mode.to_string().parse(), Ok(mode));
        }
        let help = |text: &str| text.parse::<Mode>().unwrap_err().help.unwrap();
        assert_eq!(&*help("recrod"), "write `record`");
        assert!(help("tape").contains("`replay`"));
    }
}
