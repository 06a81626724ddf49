//! The types of a segment, as `erl_bits` settles them.

use trunkline::Atom;

use super::{Compiled, refuse};
use crate::ast::{BinElement, Kind, Loc};
use crate::machine::bits::{Spec, Type};

/// How a segment is written, and whether it may have a size.
pub(super) fn settle(element: &BinElement) -> Compiled<Spec> {
    let loc = element.loc;
    let mut said = Said::default();
    for (name, unit) in element.types.iter().flatten() {
        said.hear(name, *unit, loc)?;
    }
    let kind = said.kind.unwrap_or(Type::Integer);
    let wide = matches!(kind, Type::Utf8 | Type::Utf16 | Type::Utf32);
    if wide && (element.size.is_some() || said.unit.is_some()) {
        return refuse(loc, "neither size nor unit must be given for segments of type utf8/utf16/utf32");
    }
    if said.unit.is_some() && element.size.is_none() && kind != Type::Binary {
        return refuse(loc, "a bit unit size must not be specified unless a size is specified too");
    }
    let unit = said.unit.unwrap_or(if kind == Type::Binary { 8 } else { 1 });
    Ok(Spec { kind, unit, signed: said.signed.unwrap_or(false), little: said.little.unwrap_or(false) })
}

#[derive(Default)]
struct Said {
    kind: Option<Type>,
    kind_name: Option<String>,
    unit: Option<usize>,
    signed: Option<bool>,
    little: Option<bool>,
}

impl Said {
    fn hear(&mut self, name: &Atom, unit: Option<i64>, loc: Loc) -> Compiled<()> {
        let clash = |what: &str, new: &str, old: &str| {
            refuse(loc, format!("conflict in {what} specification for bit field: '{new}' and '{old}'"))
        };
        let mut kind = |kind: Type, unit: Option<usize>| {
            if self.kind.is_some_and(|before| before != kind) {
                return clash("type", name.as_str(), self.kind_name.as_deref().unwrap_or_default());
            }
            self.kind = Some(kind);
            self.kind_name = Some(name.as_str().to_owned());
            self.unit = self.unit.or(unit);
            Ok(())
        };
        match name.as_str() {
            "integer" => kind(Type::Integer, None),
            "float" => kind(Type::Float, None),
            "binary" | "bytes" => kind(Type::Binary, Some(8)),
            "bitstring" | "bits" => kind(Type::Binary, Some(1)),
            "utf8" => kind(Type::Utf8, None),
            "utf16" => kind(Type::Utf16, None),
            "utf32" => kind(Type::Utf32, None),
            "signed" | "unsigned" => {
                let signed = *name == *"signed";
                if self.signed.is_some_and(|before| before != signed) {
                    return clash("sign", name.as_str(), if signed { "unsigned" } else { "signed" });
                }
                self.signed = Some(signed);
                Ok(())
            }
            "big" | "little" | "native" => {
                let little = *name == *"little" || (*name == *"native" && cfg!(target_endian = "little"));
                if self.little.is_some_and(|before| before != little) {
                    return clash("endianness", name.as_str(), if little { "big" } else { "little" });
                }
                self.little = Some(little);
                Ok(())
            }
            "unit" => match unit {
                Some(unit @ 1..=256) => {
                    self.unit = Some(unit as usize);
                    Ok(())
                }
                _ => refuse(loc, "bit type unit must be an integer between 1 and 256"),
            },
            other => refuse(loc, format!("bit type {} undefined", crate::lexer::write_atom(other))),
        }
    }
}

/// A string of several characters is several segments.
pub(super) fn spread(element: &BinElement) -> Option<Vec<BinElement>> {
    let Kind::String(text) = &element.value.kind else { return None };
    let bits = element
        .types
        .iter()
        .flatten()
        .any(|(name, _)| matches!(name.as_str(), "binary" | "bytes" | "bitstring" | "bits"));
    if bits && text.is_empty() {
        // No segment would be written, but it is still none of bits.
        return None;
    }
    let one = |c: &u32| {
        let mut one = element.clone();
        one.value.kind = Kind::Integer(trunkline::Term::Int((*c).into()));
        one
    };
    Some(text.iter().map(one).collect())
}
