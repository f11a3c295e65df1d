//! Numbers for people: as many digits as the uncertainty warrants, a real minus sign, powers of ten where needed.

/// A value and its uncertainty, rounded together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measured {
    /// The value.
    pub value: String,
    /// The uncertainty to the same decimal, if there is one.
    pub error: Option<String>,
    /// What both are to be multiplied with, such as `10⁻⁶`, where they would be clumsy otherwise.
    pub power: Option<String>,
}

impl std::fmt::Display for Measured {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.error, &self.power) {
            (Some(error), Some(power)) => write!(f, "({} ± {error}) × {power}", self.value),
            (Some(error), None) => write!(f, "{} ± {error}", self.value),
            (None, Some(power)) if self.value == "1" => f.write_str(power),
            (None, Some(power)) => write!(f, "{} × {power}", self.value),
            (None, None) => f.write_str(&self.value),
        }
    }
}

/// A value with its standard error: the error to two significant digits up to 35 and to one beyond (the rule of the
/// Particle Data Group), the value to the same decimal.
///
/// An error that is zero, negligible against the value's own rounding, missing or not finite is not shown.
pub fn measured(value: f64, error: Option<f64>) -> Measured {
    let error = error.filter(|e| e.is_finite() && *e > 0.0 && *e > value.abs() * 1e-12);
    let Some(error) = error.filter(|_| value.is_finite()) else {
        return plain(value, 4);
    };
    let power = Some(magnitude(value.abs().max(error))).filter(|p| !(-4..6).contains(p));
    let scale = 10f64.powi(power.unwrap_or(0));
    let (value, error) = (value / scale, error / scale);
    let decimals = decimals_of(error);
    Measured { value: fixed(value, decimals), error: Some(fixed(error, decimals)), power: power.map(power_of_ten) }
}

/// A value to so many significant digits.
pub fn plain(value: f64, digits: usize) -> Measured {
    if !value.is_finite() || value == 0.0 {
        return Measured { value: fixed(value, 0), error: None, power: None };
    }
    let power = Some(magnitude(value)).filter(|p| !(-3..6).contains(p));
    let value = value / 10f64.powi(power.unwrap_or(0));
    let decimals = (digits as i32 - 1 - magnitude(value)).clamp(0, 12) as usize;
    Measured { value: trimmed(value, decimals), error: None, power: power.map(power_of_ten) }
}

/// A value to so many significant digits and no more: 699.3 to two is 700.
pub fn about(value: f64, digits: usize) -> String {
    let step = 10f64.powi(magnitude(value) + 1 - digits as i32);
    let rounded = if step.is_finite() && step > 0.0 { (value / step).round() * step } else { value };
    plain(rounded, digits).to_string()
}

/// [`plain`] to four digits, as text.
pub fn short(value: f64) -> String {
    plain(value, 4).to_string()
}

/// Both ends of an interval, to the decimal that its width warrants.
pub fn interval(low: f64, high: f64) -> (String, String) {
    let width = (high - low).abs();
    if !width.is_finite() || width == 0.0 || !(-4..6).contains(&magnitude(low.abs().max(high.abs()))) {
        return (short(low), short(high));
    }
    let decimals = decimals_of(width / 4.0);
    (fixed(low, decimals), fixed(high, decimals))
}

/// A value to so many decimals, with a real minus sign and words for what is not a number.
pub fn fixed(value: f64, decimals: usize) -> String {
    if value.is_nan() {
        return "undefined".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+∞".into() } else { "−∞".into() };
    }
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(rest) if rest.chars().all(|c| c == '0' || c == '.') => rest.into(),
        Some(rest) => format!("−{rest}"),
        None => text,
    }
}

/// [`fixed`] without zeros at the end.
pub fn trimmed(value: f64, decimals: usize) -> String {
    let text = fixed(value, decimals);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').into() } else { text }
}

/// A count with thin spaces between thousands.
pub fn count(n: usize) -> String {
    let digits = n.to_string();
    if digits.len() <= 4 {
        return digits;
    }
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// 10 to a power, with superscript digits.
pub fn power_of_ten(power: i32) -> String {
    let digits = power.to_string();
    let raised = digits.chars().map(|c| match c {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        _ => char::from_u32('⁰' as u32 + c.to_digit(10).unwrap_or(0)).unwrap_or('⁰'),
    });
    format!("10{}", raised.collect::<String>())
}

/// The power of ten of the leading digit.
pub fn magnitude(value: f64) -> i32 {
    if value == 0.0 || !value.is_finite() {
        return 0;
    }
    // Scientific notation rounds as the digits do; a logarithm would not at 999.9999.
    format!("{:.3e}", value.abs()).split_once('e').and_then(|(_, power)| power.parse().ok()).unwrap_or(0)
}

/// Decimals that show two significant digits of an uncertainty whose first two are at most 35, one of a larger one.
fn decimals_of(error: f64) -> usize {
    let power = magnitude(error);
    let leading = error / 10f64.powi(power);
    (if leading < 3.55 { 1 - power } else { -power }).clamp(0, 12) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(value: f64, error: f64) -> String {
        measured(value, Some(error)).to_string()
    }

    #[test]
    fn the_error_decides_the_digits() {
        assert_eq!(said(3.151_592_6, 0.012_3), "3.152 ± 0.012");
        assert_eq!(said(-0.000_4, 0.02), "0.000 ± 0.020");
        assert_eq!(said(-1.25, 0.021), "−1.250 ± 0.021");
        assert_eq!(said(0.009_63, 0.000_75), "0.0096 ± 0.0008");
        assert_eq!(said(1234.5, 37.0), "1234 ± 37");
        assert_eq!(said(1.5e-7, 2.0e-8), "(1.50 ± 0.20) × 10⁻⁷");
        assert_eq!(said(2.5e9, 1.0e7), "(2.500 ± 0.010) × 10⁹");
    }

    #[test]
    fn without_an_error_four_digits() {
        assert_eq!(measured(1.0 / 3.0, None).to_string(), "0.3333");
        assert_eq!(measured(2.0, Some(0.0)).to_string(), "2");
        assert_eq!(measured(f64::NEG_INFINITY, Some(f64::NAN)).to_string(), "−∞");
        assert_eq!(measured(f64::NAN, None).to_string(), "undefined");
        assert_eq!(short(12_345_678.0), "1.235 × 10⁷");
        assert_eq!(short(-2.5e-10), "−2.5 × 10⁻¹⁰");
        assert_eq!(short(0.0), "0");
        assert_eq!((about(699.3, 2), about(0.0079, 1), about(-1.26, 2)), ("700".into(), "0.008".into(), "−1.3".into()));
        assert_eq!((about(0.0, 2), about(f64::INFINITY, 2)), ("0".into(), "+∞".into()));
    }

    #[test]
    fn intervals_and_counts() {
        assert_eq!(interval(3.0671, 3.1432), ("3.067".into(), "3.143".into()));
        assert_eq!(interval(f64::NEG_INFINITY, 1.0), ("−∞".into(), "1".into()));
        assert_eq!(count(1234), "1234");
        assert_eq!(count(12_288), "12\u{202f}288");
        assert_eq!(magnitude(999.999_9), 3);
        assert_eq!(power_of_ten(-120), "10⁻¹²⁰");
    }
}
