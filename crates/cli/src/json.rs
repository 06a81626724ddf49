//! JSON for machines: strings, numbers, booleans, lists and objects, written; never read.

use std::fmt;

/// A value to print.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Int(i64),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(&'static str, Json)>),
}

impl Json {
    pub(crate) fn text(text: impl Into<String>) -> Json {
        Json::Text(text.into())
    }

    /// The value, or `null`.
    pub(crate) fn maybe(value: Option<Json>) -> Json {
        value.unwrap_or(Json::Null)
    }
}

impl fmt::Display for Json {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Json::Null => out.write_str("null"),
            Json::Bool(value) => write!(out, "{value}"),
            Json::Int(value) => write!(out, "{value}"),
            Json::Text(text) => quoted(text, out),
            Json::List(values) => {
                out.write_str("[")?;
                for (index, value) in values.iter().enumerate() {
                    write!(out, "{}{value}", if index == 0 { "" } else { "," })?;
                }
                out.write_str("]")
            }
            Json::Object(fields) => {
                out.write_str("{")?;
                for (index, (key, value)) in fields.iter().enumerate() {
                    out.write_str(if index == 0 { "" } else { "," })?;
                    quoted(key, out)?;
                    write!(out, ":{value}")?;
                }
                out.write_str("}")
            }
        }
    }
}

/// RFC 8259, section 7: quotes, backslashes and control characters are escaped; the rest stands as it is.
fn quoted(text: &str, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    out.write_str("\"")?;
    for char in text.chars() {
        match char {
            '"' => out.write_str("\\\"")?,
            '\\' => out.write_str("\\\\")?,
            '\n' => out.write_str("\\n")?,
            char if (char as u32) < 0x20 => write!(out, "\\u{:04x}", char as u32)?,
            char => write!(out, "{char}")?,
        }
    }
    out.write_str("\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_break_a_string_is_escaped() {
        let value = Json::Object(vec![
            ("text", Json::text("a\"b\\c\nd\u{1}é")),
            ("list", Json::List(vec![Json::Null, Json::Bool(true), Json::Int(-3)])),
        ]);
        assert_eq!(value.to_string(), r#"{"text":"a\"b\\c\nd\u0001é","list":[null,true,-3]}"#);
    }
}
