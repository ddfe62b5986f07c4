//! Times for people: moments in UTC, how long ago, how long. Takes the time as an argument, knows no clock.

use std::time::Duration;

const DAY: u64 = 86_400_000;

/// Year, month and day of a day counted from 1970 (Gregorian, also before it was in use).
fn civil(days: u64) -> (u64, u64, u64) {
    // Years are counted from March, so that the leap day is the last of its year; 719 468 days lie before 1970.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

/// The day of a moment in milliseconds since 1970: `2026-03-01`.
pub fn date(millis: u64) -> String {
    let (year, month, day) = civil(millis / DAY);
    format!("{year:04}-{month:02}-{day:02}")
}

/// The time of day of a moment, to the millisecond: `19:22:29.123`.
pub fn time_of_day(millis: u64) -> String {
    let (seconds, rest) = (millis % DAY / 1000, millis % 1000);
    format!("{:02}:{:02}:{:02}.{rest:03}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// A moment as ISO 8601 has it, in UTC: `2026-03-01T19:22:29.123Z`.
pub fn iso(millis: u64) -> String {
    format!("{}T{}Z", date(millis), time_of_day(millis))
}

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
    fn moments_are_those_of_the_calendar() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_709_251_200_000, "2024-03-01T00:00:00.000Z"),
            (1_735_689_599_001, "2024-12-31T23:59:59.001Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(iso(millis), text);
        }
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
