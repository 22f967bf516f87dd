//! RFC 3339 as bench/peers/rfc3339.h has it: seconds, nanoseconds and offset, without allocation.

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Clone, Copy)]
pub struct Time {
    pub seconds: i64,
    pub nanoseconds: u32,
    pub offset_minutes: i16,
}

fn days(mut year: i64, month: u32, day: u32) -> i64 {
    year -= i64::from(month <= 2);
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400) as u32;
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    let day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    era * 146097 + i64::from(day_of_era) - 719468
}

fn days_in_month(year: u32, month: u32) -> u32 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if month == 2 {
        28 + u32::from(leap)
    } else {
        30 + ((month + (month >> 3)) & 1)
    }
}

fn two(text: &[u8]) -> Option<u32> {
    let high = u32::from(text[0].wrapping_sub(b'0'));
    let low = u32::from(text[1].wrapping_sub(b'0'));
    (high <= 9 && low <= 9).then_some(high * 10 + low)
}

impl Time {
    pub fn parse(text: &[u8]) -> Option<Time> {
        if text.len() < 20
            || text[4] != b'-'
            || text[7] != b'-'
            || text[10] | 0x20 != b't'
            || text[13] != b':'
            || text[16] != b':'
        {
            return None;
        }
        let year = two(&text[0..])? * 100 + two(&text[2..])?;
        let (month, day) = (two(&text[5..])?, two(&text[8..])?);
        let (hour, minute, second) = (two(&text[11..])?, two(&text[14..])?, two(&text[17..])?);
        if !(1..=12).contains(&month)
            || day < 1
            || day > days_in_month(year, month)
            || hour > 23
            || minute > 59
            || second > 59
        {
            return None;
        }
        let mut rest = &text[19..];
        let mut nanoseconds = 0;
        if rest[0] == b'.' {
            let digits = rest[1..]
                .iter()
                .take(9)
                .take_while(|c| c.is_ascii_digit())
                .count();
            if digits == 0 {
                return None;
            }
            for c in &rest[1..=digits] {
                nanoseconds = nanoseconds * 10 + u32::from(c - b'0');
            }
            nanoseconds *= 10u32.pow(9 - digits as u32);
            rest = &rest[1 + digits..];
        }
        let offset = match rest {
            [b'Z' | b'z'] => 0,
            [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
                let (hours, minutes) = (two(&rest[1..])?, two(&rest[4..])?);
                if hours > 23 || minutes > 59 {
                    return None;
                }
                (hours * 60 + minutes) as i64 * if *sign == b'-' { -1 } else { 1 }
            }
            _ => return None,
        };
        let of_day = i64::from((hour * 60 + minute) * 60 + second);
        Some(Time {
            seconds: days(i64::from(year), month, day) * 86400 + of_day - offset * 60,
            nanoseconds,
            offset_minutes: offset as i16,
        })
    }

    /// Write it to `out`; returns the length.
    pub fn format(&self, out: &mut [u8; 36]) -> usize {
        let local = self.seconds + i64::from(self.offset_minutes) * 60;
        let z = local.div_euclid(86400) + 719468;
        let of_day = local.rem_euclid(86400) as u32;
        let era = z.div_euclid(146097);
        let doe = z.rem_euclid(146097) as u32;
        let yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let shifted = (5 * doy + 2) / 153;
        let month = if shifted < 10 {
            shifted + 3
        } else {
            shifted - 9
        };
        let year = (i64::from(yoe) + era * 400) as u32 + u32::from(month <= 2);

        let mut length = 0;
        let mut put = |value: u32, digits: usize, after: u8| {
            let mut value = value;
            for at in (length..length + digits).rev() {
                out[at] = b'0' + (value % 10) as u8;
                value /= 10;
            }
            out[length + digits] = after;
            length += digits + 1;
        };
        put(year, 4, b'-');
        put(month, 2, b'-');
        put(doy - (153 * shifted + 2) / 5 + 1, 2, b'T');
        put(of_day / 3600, 2, b':');
        put(of_day / 60 % 60, 2, b':');
        put(of_day % 60, 2, b'.');
        length -= 1;
        if self.nanoseconds > 0 {
            length += 1;
            let mut value = self.nanoseconds;
            for at in (length..length + 9).rev() {
                out[at] = b'0' + (value % 10) as u8;
                value /= 10;
            }
            length += 9;
            while out[length - 1] == b'0' {
                length -= 1;
            }
        }
        if self.offset_minutes == 0 {
            out[length] = b'Z';
            return length + 1;
        }
        let offset = u32::from(self.offset_minutes.unsigned_abs());
        out[length] = if self.offset_minutes < 0 { b'-' } else { b'+' };
        for (i, value) in [
            offset / 600,
            offset / 60 % 10,
            99,
            offset % 60 / 10,
            offset % 10,
        ]
        .into_iter()
        .enumerate()
        {
            out[length + 1 + i] = if value == 99 {
                b':'
            } else {
                b'0' + value as u8
            };
        }
        length + 6
    }
}

struct TimeVisitor;

impl Visitor<'_> for TimeVisitor {
    type Value = Time;

    fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("an RFC 3339 timestamp")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Time, E> {
        Time::parse(text.as_bytes()).ok_or_else(|| E::custom("not an RFC 3339 timestamp"))
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
        deserializer.deserialize_str(TimeVisitor)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = [0; 36];
        let length = self.format(&mut text);
        serializer.serialize_str(std::str::from_utf8(&text[..length]).unwrap())
    }
}
