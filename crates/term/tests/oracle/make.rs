//! Terms of every kind from a seed.

use std::sync::Arc;

use trunkline_term::{Atom, BigInt, BitString, Export, Fun, List, NodeId, Pid, Port, Ref, Term};

pub(crate) struct Maker {
    state: u64,
    /// The first is the node that `erl` itself is when it is not distributed.
    pub(crate) nodes: Vec<NodeId>,
}

const ATOMS: [&str; 24] = [
    "a",
    "ok",
    "error",
    "undefined",
    "hello world",
    "",
    "EXIT",
    "$gen_call",
    "end",
    "fun",
    "maybe",
    "ünlaut",
    "Ünlaut",
    "Ωmega",
    "日本",
    "a@b",
    "_x",
    "a\nb",
    "it's",
    "back\\slash",
    "when",
    "a÷",
    "node_with_a_long_name@host",
    "Elixir.My.Module",
];

impl Maker {
    pub(crate) fn new(seed: u64) -> Maker {
        let node = |name: &str, creation| NodeId::new(Atom::new(name), creation);
        let nodes = vec![node("nonode@nohost", 0), node("ketchup@localhost", 7), node("fries@localhost", 7)];
        Maker { state: seed.wrapping_mul(2).wrapping_add(1), nodes }
    }

    /// SplitMix64.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// Any term, a few levels deep.
    pub(crate) fn term(&mut self) -> Term {
        self.nested(4)
    }

    /// A term that does not fit a line.
    pub(crate) fn wide_term(&mut self) -> Term {
        let length = 3 + self.below(12);
        let items: Vec<Term> = (0..length).map(|_| self.nested(3)).collect();
        match self.below(3) {
            0 => Term::list(items),
            1 => Term::Tuple(items.into()),
            _ => Term::Map(items.iter().map(|item| (item.clone(), self.nested(2))).collect()),
        }
    }

    /// A term from so few that some are equal, or nearly so.
    pub(crate) fn similar_term(&mut self) -> Term {
        let small = |maker: &mut Maker| match maker.below(8) {
            0 => Term::Float(maker.below(3) as f64),
            1 => Term::Float(9_007_199_254_740_992.0 + maker.below(3) as f64 * 2.0),
            2 => Term::Int(9_007_199_254_740_991 + maker.below(4) as i64),
            3 => Term::from(BigInt::from(1_u128 << 70) + maker.below(2)),
            4 => Term::Float((1_u128 << 70) as f64),
            _ => Term::Int(maker.below(3) as i64),
        };
        let items: Vec<Term> = (0..self.below(3)).map(|_| small(self)).collect();
        match self.below(6) {
            0 => Term::list(items),
            1 => Term::Tuple(items.into()),
            2 => Term::Map(items.into_iter().map(|item| (item, small(self))).collect()),
            3 => List::with_tail(items, small(self)),
            4 => {
                let bytes: Vec<u8> = (0..self.below(3)).map(|_| self.below(3) as u8 * 64).collect();
                match self.below(2) {
                    0 if !bytes.is_empty() => Term::Bits(Arc::new(BitString {
                        bytes: bytes.into(),
                        last_bits: 2 + self.below(3) as u8,
                    })),
                    _ => Term::Binary(bytes.into()),
                }
            }
            _ => small(self),
        }
    }

    fn nested(&mut self, levels: usize) -> Term {
        if levels == 0 || self.below(3) == 0 {
            return self.plain();
        }
        let length = self.below(5);
        let items =
            |maker: &mut Maker| -> Vec<Term> { (0..length).map(|_| maker.nested(levels - 1)).collect() };
        match self.below(9) {
            0 => Term::list(items(self)),
            1 | 2 => Term::Tuple(items(self).into()),
            3 => {
                let mut all = vec![self.atom()];
                all.extend(items(self));
                Term::Tuple(all.into())
            }
            4 | 5 => Term::Map(items(self).into_iter().map(|key| (key, self.nested(levels - 1))).collect()),
            6 => List::with_tail(items(self), self.plain()),
            7 => {
                let tail = self.string();
                List::with_tail(items(self), tail)
            }
            _ => Term::Fun(Arc::new(Fun {
                arity: self.below(256) as u8,
                uniq: [self.below(256) as u8; 16],
                index: self.below(100) as u32,
                module: self.name(),
                old_index: self.below(100) as i64,
                old_uniq: self.below(1 << 26) as i64,
                creator: self.pid(),
                free: items(self),
            })),
        }
    }

    fn atom(&mut self) -> Term {
        Term::atom(self.pick(&ATOMS))
    }

    /// An atom for a fun: OTP 25 garbles other than ASCII when it prints those.
    fn name(&mut self) -> Atom {
        loop {
            let text = self.pick(&ATOMS);
            if text.is_ascii() {
                return Atom::new(text);
            }
        }
    }

    fn pid(&mut self) -> Pid {
        let node = self.node();
        Pid { node, id: self.below(32_000) as u32, serial: self.below(8_000) as u32 }
    }

    fn node(&mut self) -> NodeId {
        let at = self.below(self.nodes.len());
        self.nodes[at].clone()
    }

    fn string(&mut self) -> Term {
        let texts =
            ["hello", "line\nbreak", "quote\"d", "wörld", "Ω and ω", "tab\te\u{1b}", "del\u{7f}", "x\u{1}y"];
        let long = self.below(8) == 0;
        let text = self.pick(&texts);
        Term::string(&if long { text.repeat(15) } else { text.into() })
    }

    fn plain(&mut self) -> Term {
        match self.below(13) {
            0 => Term::Int(self.below(300) as i64),
            1 => Term::Int((self.next() as i64) >> self.below(64)),
            2 => {
                let bits = self.below(300);
                let size = BigInt::from(self.next()) << bits;
                Term::from(if self.below(2) == 0 { -size } else { size })
            }
            3 => self.float(),
            4 | 5 => self.atom(),
            6 => Term::Pid(self.pid()),
            7 => {
                let words = [self.below(1 << 18) as u32, self.next() as u32, self.next() as u32];
                Term::Ref(Ref::new(self.node(), &words).unwrap())
            }
            8 => {
                let bits = self.below(28);
                Term::Port(Port { node: self.node(), id: 1 << bits })
            }
            9 => Term::Export(Arc::new(Export {
                module: self.name(),
                function: self.name(),
                arity: self.below(256) as u8,
            })),
            10 => self.string(),
            11 => self.binary(),
            _ => {
                let mut bytes: Vec<u8> = (0..1 + self.below(50)).map(|_| self.next() as u8).collect();
                let last_bits = 1 + self.below(7) as u8;
                *bytes.last_mut().unwrap() &= 0xff << (8 - last_bits);
                Term::Bits(Arc::new(BitString { bytes: bytes.into(), last_bits }))
            }
        }
    }

    fn binary(&mut self) -> Term {
        let length = self.below(60);
        match self.below(4) {
            0 => Term::Binary((0..length).map(|_| self.next() as u8).collect::<Vec<u8>>().into()),
            1 => Term::binary(&"text in a binary ".repeat(length / 9)),
            2 => Term::binary(self.pick(&["wörld", "Ω", "a\nb", "\"", "日本語"])),
            _ => Term::Binary(vec![b'a', 0xe9, b'!'].into()),
        }
    }

    /// Not `-0.0`, which OTP 25 takes for `0.0`.
    fn float(&mut self) -> Term {
        let number = match self.below(4) {
            0 => f64::from_bits(self.next()),
            1 => self.below(100_000) as f64 / 8.0,
            2 => 10_f64.powi(self.below(40) as i32 - 20),
            _ => (self.below(1 << 20) as f64) * 2_f64.powi(self.below(80) as i32 - 40),
        };
        Term::Float(if number.is_finite() && number != 0.0 { number } else { 0.0 })
    }

    /// Characters for `~s`: an atom, a binary, or a list of them and of numbers.
    pub(crate) fn characters(&mut self) -> Term {
        match self.below(5) {
            0 => self.atom(),
            1 => self.binary(),
            2 => self.string(),
            _ => {
                let items: Vec<Term> = (0..self.below(4))
                    .map(|_| if self.below(2) == 0 { Term::Int(120) } else { self.binary() })
                    .collect();
                List::with_tail(items, if self.below(3) == 0 { self.binary() } else { Term::NIL })
            }
        }
    }

    /// A term that can be written as text: no identifiers, no funs made by code.
    pub(crate) fn readable_term(&mut self) -> Term {
        loop {
            let term = self.nested(3);
            let text = term.to_string();
            if !["#Fun<", "#Ref<", "#Port<", "localhost.", "nohost."].iter().any(|mark| text.contains(mark)) {
                return term;
            }
        }
    }

    /// A text with one character gone, doubled or replaced.
    pub(crate) fn damaged(&mut self, text: &str) -> String {
        const MARKS: [char; 16] =
            ['{', '}', '[', ']', ',', '|', '"', '\'', '#', '<', '>', ' ', '1', 'a', '-', '\\'];
        let characters: Vec<char> = text.chars().collect();
        let at = self.below(characters.len());
        let mut damaged = characters.clone();
        match self.below(3) {
            0 => drop(damaged.remove(at)),
            1 => damaged.insert(at, characters[at]),
            _ => damaged[at] = self.pick(&MARKS),
        }
        damaged.into_iter().collect()
    }
}
