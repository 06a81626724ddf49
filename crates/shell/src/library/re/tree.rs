//! Regular expressions as trees, and sets of characters.

/// A part of a pattern.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Empty,
    /// A character, in either case if so asked.
    Char(u32, bool),
    Set(Set),
    /// `.`: whether line ends count.
    Any(bool),
    /// `\R`.
    LineEnd,
    /// `\X`.
    Cluster,
    Assert(Assert),
    Group(Box<Node>, Option<usize>),
    Sequence(Vec<Node>),
    Choice(Vec<Node>),
    Repeat {
        of: Box<Node>,
        least: u32,
        most: Option<u32>,
        how: Greed,
    },
    /// What a group has matched, in either case if so asked. The first of several that is set.
    Back(Vec<usize>, bool),
    Look {
        of: Box<Node>,
        behind: bool,
        not: bool,
    },
    Atomic(Box<Node>),
    Condition(Condition, Box<Node>, Box<Node>),
    /// A group's pattern once more.
    Call(usize),
    /// `\K`.
    Keep,
    Fail,
    Accept,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Greed {
    Greedy,
    Lazy,
    Possessive,
}

/// Where something must be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Assert {
    TextStart,
    TextEnd,
    TextEndOrLine,
    LineStart,
    LineEnd,
    Dollar,
    DollarOnly,
    Word(bool),
    /// `\G`.
    MatchStart,
}

#[derive(Clone, Debug)]
pub(super) enum Condition {
    Group(Vec<usize>),
    Recursion(Option<usize>),
    Look(Box<Node>),
    Never,
}

/// A kind of characters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Digit,
    Space,
    Word,
    Horizontal,
    Vertical,
    Posix(Posix),
    Property(Property),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Posix {
    Alpha,
    Lower,
    Upper,
    Alnum,
    Ascii,
    Blank,
    Cntrl,
    Graph,
    Print,
    Punct,
    Xdigit,
}

/// What Unicode says of a character.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Property {
    Any,
    Letter,
    Lower,
    Upper,
    CasedLetter,
    Number,
    Space,
    Punctuation,
    Symbol,
    Mark,
    Control,
    Alnum,
    PosixSpace,
    PerlWord,
}

/// A class of characters.
#[derive(Clone, Debug, Default)]
pub(super) struct Set {
    pub(super) ranges: Vec<(u32, u32)>,
    pub(super) kinds: Vec<(Kind, bool)>,
    pub(super) not: bool,
    pub(super) caseless: bool,
    /// Whether kinds go by Unicode and not by Latin-1.
    pub(super) ucp: bool,
}

/// The other case of a character, as patterns without case have it.
pub(super) fn same(a: u32, b: u32, unicode: bool) -> bool {
    a == b || fold(a, unicode) == fold(b, unicode)
}

fn fold(code: u32, unicode: bool) -> u32 {
    let Some(c) = char::from_u32(code) else { return code };
    if !unicode && (code > 255 || matches!(code, 0xb5 | 0xdf | 0xff)) {
        return code;
    }
    let one = |mut chars: std::iter::Fuse<std::char::ToLowercase>| match (chars.next(), chars.next()) {
        (Some(c), None) => Some(c),
        _ => None,
    };
    let upper = match (c.to_uppercase().next(), c.to_uppercase().nth(1)) {
        (Some(c), None) => c,
        _ => c,
    };
    one(upper.to_lowercase().fuse()).map_or(code, |c| c as u32)
}

impl Set {
    pub(super) fn of(kind: Kind, not: bool, ucp: bool) -> Set {
        Set { kinds: vec![(kind, false)], not, ucp, ..Set::default() }
    }

    pub(super) fn has(&self, code: u32, unicode: bool) -> bool {
        let inside = |code: u32| self.ranges.iter().any(|(from, to)| (*from..=*to).contains(&code));
        let mut found =
            inside(code) || self.kinds.iter().any(|(kind, not)| is(*kind, code, self.ucp) != *not);
        if !found && self.caseless {
            found = others(code, unicode).into_iter().flatten().any(inside);
        }
        found != self.not
    }
}

fn others(code: u32, unicode: bool) -> [Option<u32>; 3] {
    let Some(c) = char::from_u32(code) else { return [None; 3] };
    let (lower, upper) = (c.to_lowercase().next(), c.to_uppercase().next());
    let folded = upper.and_then(|c| c.to_lowercase().next());
    [lower, upper, folded].map(|c| c.map(|c| c as u32).filter(|c| same(*c, code, unicode)))
}

/// Whether a character is of a kind. Without Unicode by the tables of Latin-1, beyond which there is nothing.
pub(super) fn is(kind: Kind, code: u32, ucp: bool) -> bool {
    match kind {
        Kind::Horizontal => {
            matches!(code, 9 | 32 | 0xa0 | 0x1680 | 0x180e | 0x2000..=0x200a | 0x202f | 0x205f | 0x3000)
        }
        Kind::Vertical => matches!(code, 10..=13 | 0x85 | 0x2028 | 0x2029),
        Kind::Property(property) => has_property(property, code),
        Kind::Digit if ucp => char::from_u32(code).is_some_and(|c| c.is_numeric() && is_decimal(c)),
        Kind::Space if ucp => has_property(Property::PosixSpace, code),
        Kind::Word if ucp => has_property(Property::PerlWord, code),
        Kind::Digit => matches!(code, 48..=57),
        Kind::Space => matches!(code, 9..=13 | 32),
        Kind::Word => code == 95 || is_alpha(code) || matches!(code, 48..=57),
        Kind::Posix(posix) => is_posix(posix, code, ucp),
    }
}

fn is_alpha(code: u32) -> bool {
    match code {
        65..=90 | 97..=122 | 0xaa | 0xb5 | 0xba => true,
        0xc0..=0xff => !matches!(code, 0xd7 | 0xf7),
        _ => false,
    }
}

fn is_lower(code: u32) -> bool {
    matches!(code, 97..=122 | 0xaa | 0xb5 | 0xba | 0xdf..=0xf6 | 0xf8..=0xff)
}

fn is_upper(code: u32) -> bool {
    matches!(code, 65..=90 | 0xc0..=0xd6 | 0xd8..=0xde)
}

fn is_posix(posix: Posix, code: u32, ucp: bool) -> bool {
    let digit = matches!(code, 48..=57);
    if ucp && code > 127 {
        return match posix {
            Posix::Alpha => has_property(Property::Letter, code),
            Posix::Lower => has_property(Property::Lower, code),
            Posix::Upper => has_property(Property::Upper, code),
            Posix::Alnum => has_property(Property::Alnum, code),
            Posix::Blank => is(Kind::Horizontal, code, true),
            Posix::Punct => has_property(Property::Punctuation, code),
            Posix::Cntrl => has_property(Property::Control, code),
            Posix::Graph => !has_property(Property::Control, code) && !has_property(Property::Space, code),
            Posix::Print => !has_property(Property::Control, code),
            Posix::Ascii | Posix::Xdigit => false,
        };
    }
    match posix {
        Posix::Alpha => is_alpha(code),
        Posix::Lower => is_lower(code),
        Posix::Upper => is_upper(code),
        Posix::Alnum => is_alpha(code) || digit,
        Posix::Ascii => code < 128,
        Posix::Blank => matches!(code, 9 | 32),
        Posix::Cntrl => matches!(code, 0..=31 | 127..=159),
        Posix::Graph => matches!(code, 33..=126 | 160..=255),
        Posix::Print => matches!(code, 32..=126 | 160..=255),
        Posix::Punct => matches!(code, 33..=126 | 160..=255) && !is_alpha(code) && !digit,
        Posix::Xdigit => digit || matches!(code, 65..=70 | 97..=102),
    }
}

/// Decimal digits come in runs of ten that begin where a run of numeric characters does.
fn is_decimal(c: char) -> bool {
    c.is_ascii_digit()
        || matches!(c as u32, 0x660..=0x669 | 0x6f0..=0x6f9 | 0x7c0..=0x7c9 | 0x966..=0x96f | 0x9e6..=0x9ef
            | 0xa66..=0xa6f | 0xae6..=0xaef | 0xb66..=0xb6f | 0xbe6..=0xbef | 0xc66..=0xc6f | 0xce6..=0xcef
            | 0xd66..=0xd6f | 0xe50..=0xe59 | 0xed0..=0xed9 | 0xf20..=0xf29 | 0x1040..=0x1049 | 0x17e0..=0x17e9
            | 0x1810..=0x1819 | 0xff10..=0xff19 | 0x1d7ce..=0x1d7ff)
}

fn has_property(property: Property, code: u32) -> bool {
    let Some(c) = char::from_u32(code) else { return false };
    let mark = unicode_normalization::char::is_combining_mark(c);
    let letter = c.is_alphabetic() && !mark && !c.is_numeric();
    match property {
        Property::Any => true,
        Property::Letter => letter,
        Property::Lower => c.is_lowercase() && !matches!(code, 0xaa | 0xba),
        Property::Upper => c.is_uppercase(),
        Property::CasedLetter => c.is_lowercase() || c.is_uppercase(),
        Property::Number => c.is_numeric(),
        Property::Space => {
            matches!(code, 32 | 0xa0 | 0x1680 | 0x2000..=0x200a | 0x2028 | 0x2029 | 0x202f | 0x205f | 0x3000)
        }
        Property::PosixSpace => c.is_whitespace() || code == 0x180e,
        Property::Mark => mark,
        Property::Control => c.is_control(),
        Property::Alnum => letter || c.is_numeric(),
        Property::PerlWord => letter || c.is_numeric() || code == 95,
        Property::Punctuation => is_punctuation(code),
        Property::Symbol => {
            !letter
                && !mark
                && !c.is_numeric()
                && !c.is_control()
                && !c.is_whitespace()
                && !is_punctuation(code)
        }
    }
}

fn is_punctuation(code: u32) -> bool {
    match code {
        0..=127 => {
            code as u8 != b'$' && (code as u8).is_ascii_punctuation() && !b"+<=>^`|~".contains(&(code as u8))
        }
        0xa1 | 0xa7 | 0xab | 0xb6 | 0xb7 | 0xbb | 0xbf => true,
        0x2010..=0x2027 | 0x2030..=0x2043 | 0x2045..=0x2051 | 0x2053..=0x205e => true,
        0x3001..=0x3003 | 0x3008..=0x3011 | 0x3014..=0x301f => true,
        _ => false,
    }
}
