//! Comprehensions: loops that collect.

use super::{Compiled, Compiler, refuse};
use crate::ast::{Expr, Generator, Kind, Over, Qualifier};
use crate::machine::code::{Collect, Head, Op};

impl Compiler<'_> {
    pub(super) fn comprehension(&mut self, expr: &Expr) -> Compiled<()> {
        let (collect, parts) = match &expr.kind {
            Kind::Lc(_, parts) => (Collect::List, parts),
            Kind::Bc(_, parts) => (Collect::Bits, parts),
            Kind::Mc(_, parts) => (Collect::Map, parts),
            _ => return refuse(expr.loc, "illegal expression"),
        };
        // What is bound inside is seen inside only, and hides what has the same name outside.
        let from = self.sight();
        let homes = self.frame().homes.clone();
        self.emit(Op::Collect(collect));
        self.qualifiers(parts, expr)?;
        self.emit(Op::Collected);
        self.hide(from);
        self.frame().homes = homes;
        Ok(())
    }

    fn qualifiers(&mut self, parts: &[Qualifier], expr: &Expr) -> Compiled<()> {
        let Some((first, rest)) = parts.split_first() else { return self.gather(expr) };
        match first {
            Qualifier::Generate(generator) => self.generate(std::slice::from_ref(generator), rest, expr),
            Qualifier::Zip(_, generators) => self.generate(generators, rest, expr),
            Qualifier::Filter(test) => {
                let skip = if self.is_guard(test) {
                    let guard = vec![vec![self.test(test)?]];
                    let head = self.head(Head { patterns: Vec::new(), guard });
                    self.emit_jump(Op::Guard(head, 0))
                } else {
                    self.expr(test, false)?;
                    self.at(test.loc);
                    self.emit_jump(Op::Filter(0))
                };
                self.qualifiers(rest, expr)?;
                self.land(skip);
                Ok(())
            }
        }
    }

    fn generate(&mut self, generators: &[Generator], rest: &[Qualifier], expr: &Expr) -> Compiled<()> {
        for generator in generators {
            let from = self.sight();
            self.expr(&generator.from, false)?;
            // What is bound there is seen there only.
            self.hide(from);
        }
        for generator in generators.iter().rev() {
            self.at(generator.loc);
            self.emit(Op::Iterate(generator.over));
        }
        let mut heads = Vec::new();
        for generator in generators {
            let mut patterns = vec![self.generator_pattern(&generator.pattern)?];
            if generator.over == Over::Map
                && let Some(value) = &generator.value
            {
                patterns.push(self.generator_pattern(value)?);
            }
            let head = self.head(Head { patterns, guard: Vec::new() });
            heads.push((head, generator.strict));
        }
        let again = self.here();
        let exit = self.emit_jump(Op::Next(heads.into(), 0));
        self.qualifiers(rest, expr)?;
        self.emit(Op::Jump(again));
        self.land(exit);
        Ok(())
    }

    fn gather(&mut self, expr: &Expr) -> Compiled<()> {
        match &expr.kind {
            Kind::Lc(template, _) | Kind::Bc(template, _) => {
                self.expr(template, false)?;
            }
            Kind::Mc(field, _) => self.beside(&[field.key.clone(), field.value.clone()])?,
            _ => {}
        }
        self.emit(Op::Gather);
        Ok(())
    }
}
