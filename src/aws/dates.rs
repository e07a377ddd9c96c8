//! Date formats used by tools that issue credentials. The AWS CLI accepts nearly any format (python-dateutil); these
//! are the ones that occur and are unambiguous. Pure.

use std::time::SystemTime;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

/// `None` for anything ambiguous: a date without a time, a time without a time zone, or a named time zone other than
/// UTC.
pub fn parse(text: &str) -> Option<SystemTime> {
    let text = text.trim();
    let date = match internet_date(text) {
        Some(date) => DateTime::from_str(&date, Format::DateTimeWithOffset).ok()?,
        None => DateTime::from_str(&mail_date(text)?, Format::HttpDate).ok()?,
    };
    date.try_into().ok()
}

/// Converts a variant of ISO 8601 to RFC 3339.
fn internet_date(text: &str) -> Option<String> {
    let mut rest = text;
    let mut digits = |count: usize, separator: &str| -> Option<&str> {
        let (number, after) = rest.split_at_checked(count)?;
        let is_number = number.bytes().all(|b| b.is_ascii_digit());
        rest = after.strip_prefix(separator)?;
        is_number.then_some(number)
    };
    // Either the basic format, `20300101T000000Z`, or the extended one.
    let is_basic = text.len() > 8 && text.as_bytes()[..8].iter().all(u8::is_ascii_digit);
    let (in_date, in_time) = if is_basic { ("", "") } else { ("-", ":") };
    let (year, month, day) = (digits(4, in_date)?, digits(2, in_date)?, digits(2, "")?);
    rest = rest.strip_prefix(['T', 't', ' '])?;
    let mut digits = |count: usize, separator: &str| -> Option<&str> {
        let after = rest.strip_prefix(separator)?;
        let (number, after) = after.split_at_checked(count)?;
        let is_number = number.bytes().all(|b| b.is_ascii_digit());
        rest = if is_number { after } else { rest };
        is_number.then_some(number)
    };
    let (hour, minute) = (digits(2, "")?, digits(2, in_time)?);
    let second = digits(2, in_time).unwrap_or("00");
    let fraction_len = match rest.strip_prefix(['.', ',']) {
        Some(after) => 1 + after.bytes().take_while(u8::is_ascii_digit).count(),
        None => 0,
    };
    let (fraction, zone) = rest.split_at(fraction_len);
    // Digits beyond nanoseconds are cut.
    let fraction = match fraction.get(1..).unwrap_or_default() {
        "" if fraction_len == 0 => String::new(),
        "" => return None,
        digits => format!(".{}", &digits[..digits.len().min(9)]),
    };
    let zone = zone_offset(zone.trim_start())?;
    Some(format!("{year}-{month}-{day}T{hour}:{minute}:{second}{fraction}{zone}"))
}

/// `±HH:MM`.
fn zone_offset(zone: &str) -> Option<String> {
    if matches!(zone, "Z" | "z" | "UTC" | "GMT") {
        return Some("+00:00".into());
    }
    let sign = zone.chars().next().filter(|sign| matches!(sign, '+' | '-'))?;
    let digits = zone[1..].replacen(':', "", 1);
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    match digits.len() {
        2 => Some(format!("{sign}{digits}:00")),
        4 => Some(format!("{sign}{}:{}", &digits[..2], &digits[2..])),
        _ => None,
    }
}

/// `Tue, 01 Jan 2030 00:00:00 GMT`, as in e-mail and HTTP.
fn mail_date(text: &str) -> Option<String> {
    let date = text.strip_suffix("+0000").or(text.strip_suffix("UTC")).or(text.strip_suffix("GMT"))?;
    Some(format!("{} GMT", date.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::{Duration, UNIX_EPOCH};

    const IN_2030: u64 = 1_893_456_000;

    fn seconds(text: &str) -> Option<u64> {
        parse(text).map(|time| time.duration_since(UNIX_EPOCH).expect("after 1970").as_secs())
    }

    #[test]
    fn all_known_formats_are_parsed() {
        for text in [
            "2030-01-01T00:00:00Z",
            "2030-01-01T00:00:00z",
            "2030-01-01T00:00:00+00:00",
            "2030-01-01T00:00:00+0000",
            "2030-01-01T00:00:00+00",
            "2029-12-31T19:00:00-05:00",
            "2030-01-01T00:00:00UTC",
            "2030-01-01T00:00:00 UTC",
            "2030-01-01T00:00:00GMT",
            "2030-01-01 00:00:00+00:00",
            "2030-01-01 00:00:00 +0000",
            "2030-01-01T00:00Z",
            "2030-01-01T00:00:00.123456Z",
            "2030-01-01T00:00:00.123456789Z",
            "2030-01-01T00:00:00.1234567891234+00:00",
            "20300101T000000Z",
            "20300101T0000Z",
            "Tue, 01 Jan 2030 00:00:00 GMT",
            "Tue, 01 Jan 2030 00:00:00 +0000",
            " 2030-01-01T00:00:00Z\n",
        ] {
            assert_eq!(seconds(text), Some(IN_2030), "{text}");
        }
        let half = UNIX_EPOCH + Duration::from_secs(IN_2030) + Duration::from_millis(500);
        assert_eq!(parse("2030-01-01T00:00:00.5Z"), Some(half));
    }

    #[test]
    fn ambiguous_dates_are_rejected() {
        for text in [
            "",
            "2030-01-01",
            "2030-01-01T00:00:00",
            "2030-01-01T00:00:00CET",
            "2030-01-01T00:00:00 EST",
            "1893456000",
            "1893456000000",
            "20300101",
            "2030-13-01T00:00:00Z",
            "2030-02-30T00:00:00Z",
            "2030-01-01T25:00:00Z",
            "2030-01-01T00:00:00.Z",
            "2030-01-01T00:00:00+1:00",
            "2030-01-01T00:00:00+é",
            "soon",
            "Tue, 01 Jan 2030 00:00:00",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_parser_never_panics(text in "[0-9TZ:+. -]{0,30}|\\PC{0,30}") {
            let _ = parse(&text);
        }
    }
}
