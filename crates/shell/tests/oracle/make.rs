//! Expressions by seed.

/// Numbers from a seed: always the same ones.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % sides as u64) as usize
    }

    fn pick<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.roll(all.len())]
    }
}

const ATOMS: &[&str] = &["a", "b", "ok", "true", "false", "undefined", "'hello world'", "error"];
const OPERATORS: &[&str] = &[
    "+", "-", "*", "/", "div", "rem", "band", "bor", "bxor", "==", "/=", "=:=", "=/=", "<", ">", "=<", ">=",
    "++", "--", "and", "or", "xor", "andalso", "orelse",
];
const GUARDS: &[&str] = &[
    "is_atom",
    "is_integer",
    "is_list",
    "is_tuple",
    "is_map",
    "is_binary",
    "is_float",
    "is_number",
    "is_boolean",
    "is_bitstring",
    "is_function",
    "is_pid",
];
const ONE: &[&str] = &[
    "length",
    "hd",
    "tl",
    "abs",
    "tuple_size",
    "size",
    "byte_size",
    "bit_size",
    "float",
    "round",
    "trunc",
    "map_size",
    "list_to_tuple",
    "tuple_to_list",
    "atom_to_list",
    "integer_to_list",
    "lists:reverse",
    "lists:sort",
    "lists:usort",
    "lists:sum",
    "lists:max",
    "lists:min",
    "lists:flatten",
    "lists:last",
    "lists:concat",
    "lists:append",
    "lists:droplast",
    "maps:keys",
    "maps:values",
    "maps:to_list",
    "maps:from_list",
    "maps:size",
    "list_to_binary",
    "binary_to_list",
    "iolist_to_binary",
    "is_list",
    "is_map",
    "string:length",
    "string:uppercase",
    "string:trim",
    "string:reverse",
    "lists:unzip",
    "ordsets:from_list",
    "queue:from_list",
    "proplists:get_keys",
    "proplists:compact",
    "integer_to_binary",
    "list_to_integer",
    "not",
    "bnot",
    "-",
    "floor",
    "ceil",
    "lists:uniq",
    "lists:enumerate",
];
const TWO: &[&str] = &[
    "lists:member",
    "lists:nth",
    "lists:append",
    "lists:subtract",
    "lists:seq",
    "lists:duplicate",
    "lists:zip",
    "lists:split",
    "lists:sublist",
    "lists:nthtail",
    "lists:delete",
    "lists:prefix",
    "lists:suffix",
    "lists:join",
    "lists:keysort",
    "element",
    "max",
    "min",
    "maps:get",
    "maps:find",
    "maps:remove",
    "maps:is_key",
    "maps:merge",
    "maps:with",
    "maps:without",
    "maps:take",
    "is_map_key",
    "map_get",
    "is_function",
    "proplists:get_value",
    "proplists:get_bool",
    "proplists:delete",
    "proplists:lookup",
    "ordsets:union",
    "ordsets:add_element",
    "string:split",
    "string:prefix",
    "string:find",
    "string:lexemes",
    "string:concat",
    "binary:at",
    "binary:match",
    "binary:split",
    "lists:merge",
    "lists:ukeysort",
    "bsl",
    "bsr",
];
const THREE: &[&str] = &[
    "lists:keyfind",
    "lists:keymember",
    "lists:keydelete",
    "lists:keytake",
    "lists:sublist",
    "lists:seq",
    "maps:put",
    "maps:get",
    "maps:update",
    "setelement",
    "proplists:get_value",
    "string:replace",
    "string:slice",
    "lists:zip3",
    "binary:part",
];
const MAPPERS: &[&str] = &[
    "lists:map",
    "lists:filter",
    "lists:foreach",
    "lists:all",
    "lists:any",
    "lists:partition",
    "lists:takewhile",
    "lists:dropwhile",
    "lists:splitwith",
    "lists:flatmap",
    "lists:filtermap",
    "lists:search",
];

struct Maker {
    dice: Dice,
    /// Variables in sight.
    names: Vec<String>,
    count: usize,
}

/// So many expressions of this seed.
pub(crate) fn expressions(seed: u64, count: usize) -> Vec<String> {
    let mut maker =
        Maker { dice: Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)), names: Vec::new(), count: 0 };
    (0..count).map(|_| maker.command()).collect()
}

impl Maker {
    fn command(&mut self) -> String {
        self.names.clear();
        self.count = 0;
        let mut parts = Vec::new();
        for _ in 0..self.dice.roll(3) {
            let value = self.expr(2);
            let name = self.new_name();
            parts.push(format!("{name} = {value}"));
            self.names.push(name);
        }
        parts.push(self.expr(4));
        format!("{}.", parts.join(", "))
    }

    fn new_name(&mut self) -> String {
        self.count += 1;
        format!("V{}", self.count)
    }

    fn literal(&mut self) -> String {
        match self.dice.roll(12) {
            0..=2 => format!("{}", self.dice.roll(20) as i64 - 5),
            3 => format!("{}", self.dice.roll(1 << 30) as u64 * self.dice.roll(1 << 30) as u64),
            4 => format!("{}.{}", self.dice.roll(100), self.dice.roll(100)),
            5 | 6 => self.dice.pick(ATOMS).to_owned(),
            7 => self
                .dice
                .pick(&["\"abc\"", "\"\"", "\"a b c\"", "\"Hello\\n\"", "[]", "$a", "$\\n"])
                .to_owned(),
            8 => self
                .dice
                .pick(&["<<>>", "<<\"abc\">>", "<<1,2,3>>", "<<5:3>>", "<<1:4,7:12>>", "<<3.5/float>>"])
                .to_owned(),
            9 => self
                .dice
                .pick(&["{}", "{a,1}", "[{a,1},{b,2}]", "#{}", "#{a => 1}", "#{1 => a, b => \"c\"}"])
                .to_owned(),
            10 => self
                .dice
                .pick(&[
                    "[1,2,3]",
                    "[a,b,a]",
                    "[3,1,2,1]",
                    "[1|2]",
                    "[1.0,1,a]",
                    "123456789012345678901234567890",
                ])
                .to_owned(),
            _ if !self.names.is_empty() => {
                let at = self.dice.roll(self.names.len());
                self.names[at].clone()
            }
            _ => "7".to_owned(),
        }
    }

    fn expr(&mut self, deep: usize) -> String {
        if deep == 0 {
            return self.literal();
        }
        let deep = deep - 1;
        match self.dice.roll(24) {
            0..=2 => self.literal(),
            3..=5 => {
                let (op, left, right) = (self.dice.pick(OPERATORS), self.expr(deep), self.expr(deep));
                format!("({left} {op} {right})")
            }
            6 => format!("{{{}, {}}}", self.expr(deep), self.expr(deep)),
            7 => format!("[{}, {} | {}]", self.expr(deep), self.expr(deep), self.list(deep)),
            8 => format!(
                "#{{{} => {}, {} => {}}}",
                self.literal(),
                self.expr(deep),
                self.literal(),
                self.expr(deep)
            ),
            9..=11 => {
                let (f, one) = (self.dice.pick(ONE), self.expr(deep));
                if f.starts_with("string:") {
                    return format!("{f}({})", self.text());
                }
                format!("{f}({one})")
            }
            12 | 13 => {
                let (f, one, two) = (self.dice.pick(TWO), self.expr(deep), self.expr(deep));
                // What OTP says about texts that are none is an accident of how it is written.
                if f.starts_with("string:") && f != "string:slice" {
                    return format!("{f}({}, {})", self.text(), self.text());
                }
                match f {
                    "bsl" | "bsr" => format!("({one} {f} {})", self.dice.roll(9)),
                    "lists:seq" | "lists:duplicate" => {
                        format!("{f}({}, {})", self.dice.roll(9), self.dice.roll(12))
                    }
                    f => format!("{f}({one}, {two})"),
                }
            }
            14 => {
                let (f, one, two, three) =
                    (self.dice.pick(THREE), self.expr(deep), self.expr(deep), self.expr(deep));
                if f == "string:replace" {
                    return format!("{f}({}, {}, {three})", self.text(), self.text());
                }
                if f == "string:slice" {
                    return format!("{f}({}, {}, {})", self.text(), self.dice.roll(5), self.dice.roll(5));
                }
                if f == "lists:seq" {
                    return format!(
                        "{f}({}, {}, {})",
                        self.dice.roll(9),
                        self.dice.roll(20),
                        self.dice.roll(5)
                    );
                }
                format!("{f}({one}, {two}, {three})")
            }
            15 => self.case(deep),
            16 => self.comprehension(deep),
            17 => self.mapper(deep),
            18 => self.bits(deep),
            19 => self.try_expr(deep),
            _ => self.rare(deep),
        }
    }

    fn rare(&mut self, deep: usize) -> String {
        match self.dice.roll(4) {
            0 => {
                let test = self.guard(deep.min(2));
                format!("if {test} -> {}; true -> {} end", self.expr(deep), self.expr(deep))
            }
            1 => {
                let (op, inner) = (self.dice.pick(&["not", "-", "bnot", "+"]), self.expr(deep));
                format!("({op} {inner})")
            }
            2 => {
                let map = self.expr(deep);
                let arrow = self.dice.pick(&["=>", ":="]);
                format!("({map})#{{{} {arrow} {}}}", self.literal(), self.expr(deep))
            }
            _ => format!("begin {}, {} end", self.expr(deep), self.expr(deep)),
        }
    }

    fn text(&mut self) -> String {
        let all = ["\"abc\"", "\"\"", "\"a b c\"", "\"aab\"", "\"b\"", "\" a b \"", "\"cab\""];
        self.dice.pick(&all).to_owned()
    }

    fn list(&mut self, deep: usize) -> String {
        match self.dice.roll(4) {
            0 => "[]".to_owned(),
            1 => "[1,2,3,4]".to_owned(),
            2 => "[{a,1},{b,2},{c,3}]".to_owned(),
            _ => self.expr(deep),
        }
    }

    fn pattern(&mut self, deep: usize, new: &mut Vec<String>) -> String {
        match self.dice.roll(if deep == 0 { 5 } else { 10 }) {
            0 => "_".to_owned(),
            1..=3 => {
                let name = self.new_name();
                new.push(name.clone());
                name
            }
            4 => self.dice.pick(&["1", "a", "ok", "[]", "\"abc\"", "2.0", "true"]).to_owned(),
            5 => format!("{{{}, {}}}", self.pattern(deep - 1, new), self.pattern(deep - 1, new)),
            6 => format!("[{} | {}]", self.pattern(deep - 1, new), self.pattern(deep - 1, new)),
            7 => {
                let name = self.new_name();
                let size = self.dice.pick(&["", ":4", ":8", "/signed", ":16/little", "/utf8", ":3/unit:2"]);
                new.push(name.clone());
                format!("<<{name}{size}, _/bits>>")
            }
            8 => format!("#{{a := {}}}", self.pattern(deep - 1, new)),
            _ => {
                let name = self.new_name();
                let inner = self.pattern(deep - 1, new);
                new.push(name.clone());
                format!("{inner} = {name}")
            }
        }
    }

    fn guard(&mut self, deep: usize) -> String {
        match self.dice.roll(6) {
            0 | 1 => format!("{}({})", self.dice.pick(GUARDS), self.literal()),
            2 => {
                let (op, left, right) =
                    (self.dice.pick(&["<", ">", "==", "=:=", "=<"]), self.literal(), self.literal());
                format!("{left} {op} {right}")
            }
            3 if deep > 0 => format!("({}) andalso ({})", self.guard(deep - 1), self.guard(deep - 1)),
            4 if deep > 0 => format!("{}, {}", self.guard(0), self.guard(0)),
            _ => format!("length({}) > {}", self.literal(), self.dice.roll(4)),
        }
    }

    /// A body in which more names are in sight.
    fn within(&mut self, new: Vec<String>, deep: usize) -> String {
        let known = self.names.len();
        self.names.extend(new);
        let body = self.expr(deep);
        self.names.truncate(known);
        body
    }

    fn clause(&mut self, deep: usize) -> String {
        let mut new = Vec::new();
        let pattern = self.pattern(2, &mut new);
        let known = self.names.len();
        self.names.extend(new.clone());
        let when = if self.dice.roll(3) == 0 { format!(" when {}", self.guard(1)) } else { String::new() };
        self.names.truncate(known);
        format!("{pattern}{when} -> {}", self.within(new, deep))
    }

    fn case(&mut self, deep: usize) -> String {
        let value = self.expr(deep);
        format!("case {value} of {}; {} end", self.clause(deep), self.clause(deep))
    }

    fn comprehension(&mut self, deep: usize) -> String {
        let mut new = Vec::new();
        let pattern = self.pattern(1, &mut new);
        let from = self.list(deep);
        let known = self.names.len();
        self.names.extend(new.clone());
        let filter = match self.dice.roll(3) {
            0 => format!(", {}", self.guard(0)),
            _ => String::new(),
        };
        self.names.truncate(known);
        let bits = self.dice.roll(4) == 0;
        let body = self.within(new, if bits { 0 } else { deep.min(1) });
        if bits {
            return format!("<< <<({body})>> || {pattern} <- {from}{filter} >>");
        }
        if self.dice.roll(4) == 0 {
            return format!("[{{Q, {body}}} || {pattern} <- {from}{filter}, <<Q:4>> <= <<\"ab\">>]");
        }
        format!("[{body} || {pattern} <- {from}{filter}]")
    }

    fn mapper(&mut self, deep: usize) -> String {
        let (f, from) = (self.dice.pick(MAPPERS), self.list(deep));
        if self.dice.roll(3) == 0 {
            let (a, b) = (self.new_name(), self.new_name());
            let body = self.within(vec![a.clone(), b.clone()], deep.min(2));
            let fold = self.dice.pick(&["lists:foldl", "lists:foldr", "lists:mapfoldl"]);
            return format!("{fold}(fun({a}, {b}) -> {body} end, {}, {from})", self.literal());
        }
        let mut new = Vec::new();
        let pattern = self.pattern(2, &mut new);
        let body = self.within(new, deep.min(2));
        format!("{f}(fun({pattern}) -> {body}; (_) -> true end, {from})")
    }

    fn bits(&mut self, deep: usize) -> String {
        let one = self.literal();
        let two = self.expr(deep.min(1));
        let size = self.dice.pick(&[
            "",
            ":4",
            ":12",
            ":16/little",
            "/float",
            ":32/float",
            "/binary",
            "/utf8",
            "/bitstring",
            ":3",
        ]);
        format!("<<({one}){size}, ({two})>>")
    }

    fn try_expr(&mut self, deep: usize) -> String {
        let body = self.expr(deep);
        // Names of their own: `erl_eval` compares what two of them bind beside one another, compiled code does not.
        let (c, r) = (self.new_name(), self.new_name());
        match self.dice.roll(4) {
            0 => format!("(catch throw({body}))"),
            1 => format!("try {body} catch _:_ -> {} end", self.expr(deep)),
            2 => format!("try {body} of {} catch {c}:{r} -> {{{c}, {r}}} end", self.clause(deep)),
            _ => format!("try {body} catch error:{r} -> {{caught, {r}}} after ok end"),
        }
    }
}
