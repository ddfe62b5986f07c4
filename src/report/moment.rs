//! Times for people: moments, how long ago, how long. Takes the time as an argument, knows no clock.

use std::time::Duration;

use crate::base::{date, time_of_day};

/// A moment for a table, in UTC, to the second.
pub fn moment(millis: u64) -> String {
    let time = time_of_day(millis);
    format!("{} {}", date(millis), time.split('.').next().unwrap_or_default())
}

/// How long ago a moment is: `3 min ago`.
pub fn ago(then: u64, now: u64) -> String {
    let seconds = now.saturating_sub(then) / 1000;
    match seconds {
        0..60 => format!("{seconds} s ago"),
        60..3600 => format!("{} min ago", seconds / 60),
        3600..172_800 => format!("{} h ago", seconds / 3600),
        _ => format!("{} days ago", seconds / 86_400),
    }
}

/// A duration for people.
pub fn duration(duration: Duration) -> String {
    super::summary::time(duration)
}

/// A size for people, in powers of 1024.
pub fn size(bytes: u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB"];
    let (mut amount, mut unit) = (bytes as f64, None);
    for name in units {
        if amount < 1024.0 {
            break;
        }
        amount /= 1024.0;
        unit = Some(name);
    }
    match unit {
        None => format!("{bytes} bytes"),
        Some(unit) if amount < 10.0 => format!("{amount:.1} {unit}"),
        Some(unit) => format!("{amount:.0} {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_told_to_the_second() {
        assert_eq!(moment(951_782_399_999), "2000-02-28 23:59:59");
    }

    #[test]
    fn spans_read_well() {
        let ago = |seconds: u64| ago(1000, 1000 + seconds * 1000);
        assert_eq!([ago(0), ago(59), ago(60), ago(3599)], ["0 s ago", "59 s ago", "1 min ago", "59 min ago"]);
        assert_eq!([ago(3600), ago(172_799), ago(172_800)], ["1 h ago", "47 h ago", "2 days ago"]);
        assert_eq!(super::ago(5, 1), "0 s ago");
        assert_eq!([size(12), size(2048), size(20 << 20)], ["12 bytes", "2.0 KiB", "20 MiB"]);
    }
}
