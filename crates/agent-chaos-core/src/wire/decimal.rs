//! Numbers as decimal text: the nearest number to what is written, and the shortest text that reads
//! back as the same number.
//!
//! Both are exact. The usual libraries get their speed from tables of powers of ten, of ten thousand
//! bytes each, which the page would have to load; a profile has a few hundred numbers.

use std::cmp::Ordering;
use std::fmt::Write as _;

/// More digits than this cannot change which number is the nearest, except by being there: the
/// middle between two neighbours has at most 767.
const MOST_DIGITS: usize = 800;

/// Powers of ten up to this one are numbers without rounding.
const LARGEST_EXACT_POWER: i64 = 22;

/// The number nearest to `0.d₁d₂d₃… · 10^point`, to the even one of two equally near; infinite beyond
/// the largest. Digits are ASCII.
pub(super) fn nearest(digits: &[u8], point: i64) -> f64 {
    let zeros = digits.iter().take_while(|&&digit| digit == b'0').count();
    let mut digits = &digits[zeros..];
    let point = point.saturating_sub(zeros as i64);
    while let [rest @ .., b'0'] = digits {
        digits = rest;
    }
    // The largest number is below 10³⁰⁹, half of the smallest above 10⁻³²⁴.
    if digits.is_empty() || point < -330 {
        return 0.0;
    }
    if point > 310 {
        return f64::INFINITY;
    }
    let exponent = point - digits.len() as i64;
    if digits.len() <= 15 && exponent.abs() <= LARGEST_EXACT_POWER {
        // Both are exact, so that one rounding is the right one.
        let whole = digits
            .iter()
            .fold(0, |whole: u64, digit| whole * 10 + u64::from(digit - b'0'));
        let power = (0..exponent.abs()).fold(1.0, |power: f64, _| power * 10.0);
        return if exponent < 0 {
            whole as f64 / power
        } else {
            whole as f64 * power
        };
    }
    nearest_quotient(digits, point)
}

/// The same by a division of whole numbers of any length.
fn nearest_quotient(digits: &[u8], point: i64) -> f64 {
    let mut above = Whole(Vec::new());
    for digit in digits.iter().take(MOST_DIGITS) {
        above.times_plus(10, u32::from(digit - b'0'));
    }
    let mut count = digits.len();
    if count > MOST_DIGITS {
        // There is more, and its last digit is not 0: a little above.
        above.times_plus(10, 1);
        count = MOST_DIGITS + 1;
    }
    let mut below = Whole(vec![1]);
    let exponent = point - count as i64;
    let scaled = if exponent < 0 { &mut below } else { &mut above };
    for _ in 0..exponent.abs() {
        scaled.times_plus(10, 0);
    }
    // Shifted so that the quotient has 64 or 65 bits.
    let shift = below.bits() - above.bits() + 64;
    if shift > 0 {
        above.shift(shift);
    } else {
        below.shift(-shift);
    }
    let mut quotient = 0_u128;
    below.shift(64);
    for _ in 0..=64 {
        quotient <<= 1;
        if above.compare(&below) != Ordering::Less {
            above.take(&below);
            quotient |= 1;
        }
        above.shift(1);
    }
    // The digits of the number: 53, or as many as a subnormal one has left.
    let bits = i64::from(128 - quotient.leading_zeros());
    let lowest = (bits - 53 - shift).max(-1074);
    let dropped = lowest + shift;
    let mut mantissa = (quotient >> dropped) as u64;
    let rest = quotient & ((1 << dropped) - 1);
    let is_up = match rest.cmp(&(1 << (dropped - 1))) {
        Ordering::Less => false,
        Ordering::Equal => !above.is_zero() || mantissa & 1 == 1,
        Ordering::Greater => true,
    };
    mantissa += u64::from(is_up);
    // One carried beyond 53 bits, or into the first that is not subnormal, is right as it stands: the
    // exponent is just above the mantissa.
    let bits = if mantissa < 1 << 52 {
        mantissa
    } else {
        (((lowest + 1074) as u64) << 52) + mantissa
    };
    if bits >= f64::INFINITY.to_bits() {
        f64::INFINITY
    } else {
        f64::from_bits(bits)
    }
}

/// A whole number of any length, the least significant part first.
struct Whole(Vec<u32>);

impl Whole {
    fn times_plus(&mut self, factor: u32, plus: u32) {
        let mut carry = u64::from(plus);
        for part in &mut self.0 {
            carry += u64::from(*part) * u64::from(factor);
            *part = carry as u32;
            carry >>= 32;
        }
        if carry > 0 {
            self.0.push(carry as u32);
        }
    }

    fn shift(&mut self, bits: i64) {
        if bits % 32 > 0 {
            self.times_plus(1 << (bits % 32), 0);
        }
        self.0.splice(0..0, (0..bits / 32).map(|_| 0));
    }

    fn bits(&self) -> i64 {
        let top = self.0.last().map_or(0, |part| 32 - part.leading_zeros());
        self.0.len() as i64 * 32 - 32 + i64::from(top)
    }

    /// Of two numbers without zeros in front.
    fn compare(&self, other: &Self) -> Ordering {
        let lengths = self.0.len().cmp(&other.0.len());
        lengths.then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }

    /// Takes a number away that is no larger.
    fn take(&mut self, other: &Self) {
        let mut borrow = false;
        for (index, part) in self.0.iter_mut().enumerate() {
            let (less, first) = part.overflowing_sub(other.0.get(index).copied().unwrap_or(0));
            let (less, second) = less.overflowing_sub(u32::from(borrow));
            *part = less;
            borrow = first || second;
        }
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }

    fn is_zero(&self) -> bool {
        self.0.is_empty()
    }
}

/// Writes a finite number with as few digits as lead back to it, and of two such texts that are equally
/// near the even one. A whole number ends in `.0`; one with more than sixteen places before the point, or
/// five zeros after it, has an exponent.
pub(super) fn write(number: f64, out: &mut String) {
    let start = out.len();
    // Cannot fail: a string takes everything.
    let _ = write!(out, "{number:e}");
    let mut text = out.split_off(start);
    to_even(number, &mut text);
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(mantissa) => ("-", mantissa),
        None => ("", mantissa),
    };
    out.push_str(sign);
    if !(-5..16).contains(&exponent) {
        let plus = if exponent > 0 { "+" } else { "" };
        // Cannot fail either.
        let _ = write!(out, "{mantissa}e{plus}{exponent}");
        return;
    }
    let digits = mantissa.bytes().filter(u8::is_ascii_digit).map(char::from);
    if exponent < 0 {
        out.push_str("0.");
        out.extend((exponent + 1..0).map(|_| '0'));
        out.extend(digits);
        return;
    }
    let whole = exponent as usize + 1;
    let mut fraction = digits.skip(whole).peekable();
    let digits = mantissa.bytes().filter(u8::is_ascii_digit).map(char::from);
    out.extend(digits.chain(std::iter::repeat('0')).take(whole));
    out.push('.');
    if fraction.peek().is_none() {
        out.push('0');
    }
    out.extend(fraction);
}

/// The standard library takes the upper one of two that are equally near.
fn to_even(number: f64, text: &mut String) {
    let end = text.find('e').unwrap_or(text.len());
    let last = text.as_bytes()[end - 1];
    if last & 1 == 0 {
        return;
    }
    // A number of 53 bits that agrees with one of eighteen digits in the first sixty is that one.
    let exact = format!("{number:.60e}");
    let (lower, rest) = exact.split_at(end);
    let rest = rest.trim_start_matches('.');
    let is_middle = rest.strip_prefix('5').is_some_and(|rest| {
        rest.split_once('e')
            .is_some_and(|(zeros, _)| zeros.bytes().all(|digit| digit == b'0'))
    });
    if is_middle && lower.as_bytes()[end - 1] == last - 1 {
        text.replace_range(..end, lower);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The number of a text without sign and exponent, by the code above.
    fn read(text: &str) -> f64 {
        let (text, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = format!("{whole}{fraction}");
        let exponent: i64 = exponent.parse().unwrap();
        nearest(digits.as_bytes(), whole.len() as i64 + exponent)
    }

    #[track_caller]
    fn check(text: &str) {
        let right: f64 = text.parse().unwrap();
        assert_eq!(read(text).to_bits(), right.to_bits(), "{text}: {right:e}");
    }

    fn written(number: f64) -> String {
        let mut out = String::new();
        write(number, &mut out);
        out
    }

    #[test]
    fn what_is_read_is_the_nearest_number() {
        for text in [
            "0",
            "0.0",
            "1",
            "000.1",
            "0.1",
            "0.3",
            "1e22",
            "1e23",
            "8.5e22",
            "123456789012345",
            "9007199254740992",
            "9007199254740993",
            "9007199254740995",
            "9007199254740993.00001",
            "1.7976931348623157e308",
            "1.7976931348623158e308",
            "1.7976931348623159e308",
            "2e308",
            "1e309",
            "1e-400",
            "1e400",
            "5e-324",
            "2.4703282292062327e-324",
            "2.4703282292062328e-324",
            "2.2250738585072014e-308",
            "2.2250738585072011e-308",
            "2.225073858507201136e-308",
            "4.4501477170144023e-308",
            "3.5e-324",
            "7.4e-324",
            "18446744073709551615",
            "18446744073709551616",
        ] {
            check(text);
        }
        // The middle between two neighbours, and a little beside it, a thousand digits later.
        let middle = "9007199254740993.";
        check(&format!("{middle}{:0<1000}", ""));
        check(&format!("{middle}{:0<1000}1", ""));
        check(&format!("{:0<500}e-200", "7"));
        check(&format!("0.{:0<400}1e300", ""));
    }

    #[test]
    fn what_is_written_is_as_serde_json_writes_it() {
        let powers = (-330..310).map(|power| format!("1e{power}").parse::<f64>().unwrap());
        let more = [
            0.0,
            1.0,
            0.1,
            1.5e16,
            123_456_789_012_345_680.0,
            f64::MAX,
            f64::MIN_POSITIVE,
            5e-324,
            // Two texts of sixteen digits are equally near.
            1_832_203_892_319_491.25,
            1_832_203_892_319_490.75,
            1_125_899_906_842_624.25,
        ];
        for number in powers
            .chain(more)
            .flat_map(|n| [n, n * 1.5, n * 1.234_567_89])
        {
            for number in [number, -number].into_iter().filter(|n| n.is_finite()) {
                assert_eq!(written(number), serde_json::to_string(&number).unwrap());
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn any_number_is_written_as_serde_json_does_and_read_back(
            bits: u64,
            decimals in 0.0..1e6,
            quarters in 1_u64 << 50..1 << 53,
        ) {
            let quarters = quarters as f64 / 4.0;
            for number in [f64::from_bits(bits).abs(), decimals, (decimals * 1e3).round() / 1e3, quarters] {
                if number.is_finite() {
                    let text = written(number);
                    prop_assert_eq!(&text, &serde_json::to_string(&number).unwrap());
                    prop_assert_eq!(read(&text).to_bits(), number.to_bits(), "{}", text);
                }
            }
        }

        #[test]
        fn any_digits_are_read_as_the_nearest_number(text in "[0-9]{1,40}(\\.[0-9]{0,40})?(e-?[0-9]{1,3})?") {
            check(&text);
        }

        #[test]
        fn the_middle_between_two_numbers_is_read_as_the_even_one(bits in 1_u64..0x7fef_ffff_ffff_ffff) {
            let (low, high) = (f64::from_bits(bits), f64::from_bits(bits + 1));
            // Every digit of the middle, as the sum of two halves that are exact.
            if low > 1e-290 && high < 1e300 {
                let exact = format!("{:.1080}", low / 2.0);
                let step = format!("{:.1080}", high / 2.0);
                check(&sum(&exact, &step));
            }
        }
    }

    /// The sum of two decimals with as many digits after the point.
    fn sum(a: &str, b: &str) -> String {
        let width = a.len().max(b.len());
        let (a, b) = (format!("{a:0>width$}"), format!("{b:0>width$}"));
        let mut carry = 0;
        let mut digits: Vec<char> = Vec::new();
        for (a, b) in a.bytes().rev().zip(b.bytes().rev()) {
            if a == b'.' {
                digits.push('.');
                continue;
            }
            let total = a - b'0' + b - b'0' + carry;
            carry = total / 10;
            digits.push(char::from(b'0' + total % 10));
        }
        digits.push(char::from(b'0' + carry));
        digits.into_iter().rev().collect()
    }
}
