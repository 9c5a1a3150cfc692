//! Days and times as people in Norway read them.

use time::{Date, Duration, Month, OffsetDateTime, Time, UtcOffset, Weekday};

use crate::clock::{DAY_SECONDS, Timestamp};
use crate::domain::language::Language;

/// The moment by the clocks of Norway: central European time, with summer time from the last Sunday of March to the
/// last Sunday of October, 01:00 UTC (directive 2000/84/EC).
fn local(moment: Timestamp) -> Option<OffsetDateTime> {
    let utc = OffsetDateTime::from_unix_timestamp(moment.seconds()).ok()?;
    let begin = last_sunday(utc.year(), Month::March)?;
    let end = last_sunday(utc.year(), Month::October)?;
    let hours = if utc >= begin && utc < end { 2 } else { 1 };
    Some(utc.to_offset(UtcOffset::from_hms(hours, 0, 0).ok()?))
}

/// 01:00 UTC on the last Sunday of a month that has 31 days.
fn last_sunday(year: i32, month: Month) -> Option<OffsetDateTime> {
    let last = Date::from_calendar_date(year, month, 31).ok()?;
    let back = last.weekday().number_days_from_sunday();
    debug_assert!(back < 7 && Weekday::Sunday.number_days_from_sunday() == 0);
    let sunday = last.checked_sub(Duration::days(back.into()))?;
    Some(sunday.with_hms(1, 0, 0).ok()?.assume_utc())
}

/// The day: `28.11.2026`, in English `28 Nov 2026`, which nobody can misread.
pub(super) fn day(moment: Timestamp, language: Language) -> String {
    let Some(at) = local(moment) else { return moment.to_string() };
    match language {
        Language::Bokmal | Language::Nynorsk => {
            format!("{:02}.{:02}.{}", at.day(), u8::from(at.month()), at.year())
        }
        Language::English => {
            let month = at.month().to_string();
            format!("{} {} {}", at.day(), month.get(..3).unwrap_or(&month), at.year())
        }
    }
}

/// The day and the time to the minute.
pub(super) fn moment(moment: Timestamp, language: Language) -> String {
    let Some(at) = local(moment) else { return moment.to_string() };
    format!("{} {:02}:{:02}", day(moment, language), at.hour(), at.minute())
}

/// The moment from which on something does not hold, as people say it: when that is a midnight, the last day on which it
/// holds, or else that moment, from the API or the command line.
pub(super) fn end(moment: Timestamp, language: Language) -> String {
    let is_midnight = local(moment).is_some_and(|at| at.time() == Time::MIDNIGHT);
    if is_midnight { day(before(moment), language) } else { self::moment(moment, language) }
}

/// The moment at which a day begins in Norway, that browsers write as `2026-11-28`.
pub(super) fn begin_of_day(text: &str) -> Option<Timestamp> {
    midnight(Timestamp::from_rfc3339(&format!("{text}T00:00:00Z"))?)
}

/// The moment at which that day is over: who writes a last day means all of it.
pub(super) fn end_of_day(text: &str) -> Option<Timestamp> {
    midnight(Timestamp::from_rfc3339(&format!("{text}T00:00:00Z"))?.plus_seconds(DAY_SECONDS))
}

/// The last day on which something holds that ends at that moment, as browsers write it in a field: `2026-11-28`.
pub(super) fn last_day_of_field(end: Timestamp) -> String {
    local(before(end)).map(|at| at.date().to_string()).unwrap_or_default()
}

/// When the clocks of Norway show what those of UTC show at a midnight.
fn midnight(utc: Timestamp) -> Option<Timestamp> {
    // Clocks never change at midnight, so what holds an hour or two before it holds then.
    Some(utc.minus_seconds(i64::from(local(utc)?.offset().whole_seconds())))
}

/// The last second before an end, on which something holds still.
fn before(end: Timestamp) -> Timestamp {
    end.minus_seconds(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_in_norway() {
        for (day, utc) in [
            ("2026-11-28", "2026-11-27T23:00:00Z"),
            ("2026-07-01", "2026-06-30T22:00:00Z"),
            ("2026-03-29", "2026-03-28T23:00:00Z"),
            ("2026-10-25", "2026-10-24T22:00:00Z"),
        ] {
            assert_eq!(begin_of_day(day), Timestamp::from_rfc3339(utc), "{day}");
        }
        for bad in ["", "28.11.2026", "2026-13-01", "2026-11-28T00:00:00Z"] {
            assert_eq!(begin_of_day(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_last_day_holds_until_it_is_over() {
        for (day, utc) in [
            ("2026-11-28", "2026-11-28T23:00:00Z"),
            ("2027-06-30", "2027-06-30T22:00:00Z"),
            // Days of 23 and 25 hours.
            ("2026-03-29", "2026-03-29T22:00:00Z"),
            ("2026-10-25", "2026-10-25T23:00:00Z"),
        ] {
            let over = Timestamp::from_rfc3339(utc).unwrap();
            assert_eq!(end_of_day(day), Some(over), "{day}");
            assert_eq!(last_day_of_field(over), day);
            assert_eq!(end(over, Language::Bokmal), super::day(before(over), Language::Bokmal));
        }
        assert_eq!(end_of_day("28.11.2026"), None);
        let odd = Timestamp::from_rfc3339("2027-06-30T00:00:00Z").unwrap();
        assert_eq!(last_day_of_field(odd), "2027-06-30");
        assert_eq!(end(odd, Language::Bokmal), "30.06.2027 02:00");
    }

    #[test]
    fn clocks_change_on_the_last_sundays_of_march_and_october() {
        for (utc, text) in [
            ("2026-03-29T00:59:59Z", "29.03.2026 01:59"),
            ("2026-03-29T01:00:00Z", "29.03.2026 03:00"),
            ("2026-10-25T00:59:59Z", "25.10.2026 02:59"),
            ("2026-10-25T01:00:00Z", "25.10.2026 02:00"),
            ("2026-12-31T23:30:00Z", "01.01.2027 00:30"),
        ] {
            let at = Timestamp::from_rfc3339(utc).unwrap();
            assert_eq!(moment(at, Language::Bokmal), text);
        }
        let at = Timestamp::from_rfc3339("2026-05-01T12:00:00Z").unwrap();
        assert_eq!(day(at, Language::English), "1 May 2026");
    }
}
