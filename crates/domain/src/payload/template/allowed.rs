//! What a template may hold: statements and expressions whose work the engine counts, or that have next to none.
//!
//! The engine charges a step for an instruction, however much the instruction walks through. Two things bound that:
//! filters, tests and functions weigh and charge what they are given (`filters`); and operators, subscripts and
//! map keys, which nobody can put a guard before, stand here only where one side is plain. A plain value
//! holds no others, and is short or has just been charged for, so the work is soon done whatever the other side is.
//! A name that a template makes is never plain, and never stands for a list or map that no filter weighed; so values cannot
//! be folded into each other until they stand for more than any memory holds.
//!
//! Both matches below name every node that there is: what a later version of the engine adds does not compile until somebody
//! has thought about it here.

mod refusal;

use minijinja::machinery::ast::{
    BinOpKind, Call, CallArg, CompareOpKind, Expr, ForLoop, GetItem, Stmt,
};
use minijinja::machinery::{Span, parse};
use minijinja::syntax::SyntaxConfig;

use self::refusal::Refusal;
use super::context::{NAMES, PLAIN_NAMES};
use super::filters::PLAIN_FILTERS;
use super::{NAME, TemplateFault};

/// What the engine brings along beside filters and tests.
const ENGINE_NAMES: [&str; 3] = ["loop", "dict", "range"];
/// Largest number in brackets: a text is counted off from its beginning, at no charge.
const INDEX_MAX: i64 = 1_000;

/// Expressions may be as deep as a template is long. Where less than this is left of the stack, in bytes, the
/// looking goes on in a new piece of it.
const STACK_LEFT_BYTES: usize = 64 * 1024;
/// Such a piece, in bytes.
const STACK_PIECE_BYTES: usize = 4 * 1024 * 1024;

/// How many expressions may stand one inside another: `a + b + c` are two. The engine works at each one's constants anew, so long
/// chains would take it seconds.
const DEPTH_MAX: usize = 200;

type Checked = Result<(), TemplateFault>;

/// Looks deeper, with room for it.
fn deeper<T>(look: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(STACK_LEFT_BYTES, STACK_PIECE_BYTES, look)
}

/// Looks through a whole template.
///
/// # Errors
/// [`TemplateFault`] for the first thing that no template may hold, and for what is no template.
pub(super) fn check(text: &str) -> Checked {
    let parsed = parse(text, NAME, SyntaxConfig::default());
    statement(&parsed.map_err(|error| TemplateFault::of(&error))?)
}

fn statements(all: &[Stmt<'_>]) -> Checked {
    all.iter().try_for_each(statement)
}

fn statement(one: &Stmt<'_>) -> Checked {
    match one {
        Stmt::Template(template) => statements(&template.children),
        Stmt::EmitRaw(_) => Ok(()),
        Stmt::EmitExpr(emit) => expression(&emit.expr, DEPTH_MAX),
        Stmt::IfCond(cond) => {
            expression(&cond.expr, DEPTH_MAX)?;
            statements(&cond.true_body)?;
            statements(&cond.false_body)
        }
        Stmt::ForLoop(one) => for_loop(one, one.span()),
        Stmt::Set(set) => named(&set.target, &set.expr),
        Stmt::WithBlock(with) => {
            let mut pairs = with.assignments.iter();
            pairs.try_for_each(|(target, value)| named(target, value))?;
            statements(&with.body)
        }
        Stmt::SetBlock(block) => Refusal::SetBlock.at(block.span()),
        Stmt::FilterBlock(block) => Refusal::FilterBlock.at(block.span()),
        Stmt::AutoEscape(block) => Refusal::AutoEscape.at(block.span()),
        Stmt::Do(call) => Refusal::Do.at(call.span()),
    }
}

fn for_loop(one: &ForLoop<'_>, span: Span) -> Checked {
    if one.recursive {
        return Refusal::Recursion.at(span);
    }
    named(&one.target, &one.iter)?;
    let filter = one.filter_expr.as_ref();
    filter.map_or(Ok(()), |filter| expression(filter, DEPTH_MAX))?;
    statements(&one.body)?;
    statements(&one.else_body)
}

/// A name, or some, and what they are to stand for.
fn named(target: &Expr<'_>, value: &Expr<'_>) -> Checked {
    name(target)?;
    expression(value, DEPTH_MAX)?;
    filtered(value)
}

fn name(target: &Expr<'_>) -> Checked {
    match target {
        Expr::Var(var) if NAMES.contains(&var.id) || ENGINE_NAMES.contains(&var.id) => {
            Refusal::Taken(var.id).at(var.span())
        }
        Expr::Var(_) => Ok(()),
        Expr::List(list) => list.items.iter().try_for_each(name),
        Expr::Tuple(tuple) => tuple.items.iter().try_for_each(name),
        other => Refusal::Target.at(other.span()),
    }
}

/// A list or map that a name is to stand for was weighed by a filter, unless it holds constants only.
fn filtered(value: &Expr<'_>) -> Checked {
    deeper(|| match value {
        Expr::IfExpr(one) => {
            filtered(&one.true_expr)?;
            one.false_expr.iter().try_for_each(filtered)
        }
        Expr::BinOp(op) if matches!(op.op, BinOpKind::ScAnd | BinOpKind::ScOr) => {
            filtered(&op.left)?;
            filtered(&op.right)
        }
        Expr::List(_) | Expr::Tuple(_) if !is_constant(value) => {
            Refusal::NamedList.at(value.span())
        }
        Expr::Map(map) if map.as_const().is_none() => Refusal::NamedMap.at(map.span()),
        _ => Ok(()),
    })
}

fn expressions<'e, 't: 'e>(all: impl IntoIterator<Item = &'e Expr<'t>>, depth: usize) -> Checked {
    all.into_iter().try_for_each(|one| expression(one, depth))
}

/// An expression, which may hold others as deep as this.
fn expression(one: &Expr<'_>, depth: usize) -> Checked {
    let Some(depth) = depth.checked_sub(1) else {
        return Refusal::Depth.at(one.span());
    };
    deeper(|| one_expression(one, depth))
}

fn one_expression(one: &Expr<'_>, depth: usize) -> Checked {
    match one {
        Expr::Const(_) => Ok(()),
        Expr::Var(var) if var.id == "loop" => Refusal::Loop.at(var.span()),
        Expr::Var(_) => Ok(()),
        Expr::GetAttr(attr) if is_loop(&attr.expr) => Ok(()),
        Expr::GetAttr(attr) => expression(&attr.expr, depth),
        Expr::GetItem(item) => subscript(item, item.span(), depth),
        Expr::Slice(slice) => {
            let bounds = [&slice.start, &slice.stop, &slice.step];
            let bounds = bounds.into_iter().flatten();
            if !is_weighed(&slice.expr) || !bounds.clone().all(is_plain) {
                return Refusal::Slice.at(slice.span());
            }
            expressions(bounds, depth)?;
            expression(&slice.expr, depth)
        }
        Expr::UnaryOp(op) => expression(&op.expr, depth),
        Expr::BinOp(op) => {
            operands(op.op, &op.left, &op.right, op.span())?;
            expression(&op.left, depth)?;
            expression(&op.right, depth)
        }
        Expr::Compare(compare) => {
            let mut left = &compare.expr;
            expression(left, depth)?;
            for op in &compare.ops {
                operands(as_binary(op.op), left, &op.expr, compare.span())?;
                expression(&op.expr, depth)?;
                left = &op.expr;
            }
            Ok(())
        }
        Expr::IfExpr(one) => {
            expression(&one.test_expr, depth)?;
            expression(&one.true_expr, depth)?;
            expressions(&one.false_expr, depth)
        }
        Expr::Filter(filter) => {
            expressions(&filter.expr, depth)?;
            arguments(&filter.args, filter.span(), depth)
        }
        Expr::Test(test) => {
            expression(&test.expr, depth)?;
            arguments(&test.args, test.span(), depth)
        }
        Expr::Call(one) => call(one, one.span(), depth),
        Expr::List(list) => expressions(&list.items, depth),
        Expr::Tuple(tuple) => expressions(&tuple.items, depth),
        Expr::Map(map) => {
            let is_const = |key: &Expr<'_>| matches!(key, Expr::Const(_));
            if !map.keys.iter().all(is_const) {
                return Refusal::Key.at(map.span());
            }
            expressions(&map.values, depth)
        }
    }
}

/// What stands around an operator.
fn operands(op: BinOpKind, left: &Expr<'_>, right: &Expr<'_>, span: Span) -> Checked {
    use BinOpKind as Op;
    if matches!(op, Op::ScAnd | Op::ScOr) {
        return Ok(());
    }
    let (left_plain, right_plain) = (is_plain(left), is_plain(right));
    match op {
        Op::ScAnd | Op::ScOr => Ok(()),
        Op::Concat => Refusal::Concat.at(span),
        // A list on either side would be repeated, lazily and as often as one likes.
        Op::Mul if left_plain && right_plain => Ok(()),
        Op::Mul => Refusal::Product.at(span),
        Op::In if left_plain || is_constant(right) => Ok(()),
        Op::In => Refusal::In.at(span),
        Op::Eq | Op::Ne | Op::Lt | Op::Lte | Op::Gt | Op::Gte if left_plain || right_plain => {
            Ok(())
        }
        Op::Eq | Op::Ne | Op::Lt | Op::Lte | Op::Gt | Op::Gte => Refusal::Comparison.at(span),
        Op::Add | Op::Sub | Op::Div | Op::FloorDiv | Op::Rem | Op::Pow
            if left_plain || right_plain =>
        {
            Ok(())
        }
        Op::Add | Op::Sub | Op::Div | Op::FloorDiv | Op::Rem | Op::Pow => {
            Refusal::Arithmetic.at(span)
        }
    }
}

fn as_binary(op: CompareOpKind) -> BinOpKind {
    match op {
        CompareOpKind::Eq => BinOpKind::Eq,
        CompareOpKind::Ne => BinOpKind::Ne,
        CompareOpKind::Lt => BinOpKind::Lt,
        CompareOpKind::Lte => BinOpKind::Lte,
        CompareOpKind::Gt => BinOpKind::Gt,
        CompareOpKind::Gte => BinOpKind::Gte,
        CompareOpKind::In | CompareOpKind::NotIn => BinOpKind::In,
    }
}

fn subscript(item: &GetItem<'_>, span: Span, depth: usize) -> Checked {
    let is_short = match &item.subscript_expr {
        Expr::Const(key) if key.value.as_str().is_some() => true,
        Expr::Const(key) => key
            .value
            .as_i64()
            .is_some_and(|index| (0..=INDEX_MAX).contains(&index)),
        _ => false,
    };
    let is_charged = is_weighed(&item.expr) && is_plain(&item.subscript_expr);
    if !is_short && !is_charged {
        return Refusal::Subscript.at(span);
    }
    expression(&item.expr, depth)?;
    expression(&item.subscript_expr, depth)
}

fn call(one: &Call<'_>, span: Span, depth: usize) -> Checked {
    match &one.expr {
        Expr::Var(var) if ["dict", "range"].contains(&var.id) => arguments(&one.args, span, depth),
        _ => Refusal::Call.at(span),
    }
}

fn arguments(given: &[CallArg<'_>], span: Span, depth: usize) -> Checked {
    given.iter().try_for_each(|one| match one {
        CallArg::Pos(value) | CallArg::Kwarg(_, value) => expression(value, depth),
        CallArg::PosSplat(_) | CallArg::KwargSplat(_) => Refusal::Splat.at(span),
    })
}

/// Whether a value holds no others, and is short or has just been charged for.
fn is_plain(value: &Expr<'_>) -> bool {
    deeper(|| match value {
        Expr::Const(one) => one.value.as_object().is_none(),
        Expr::Var(var) => PLAIN_NAMES.contains(&var.id),
        Expr::GetAttr(attr) => is_loop(&attr.expr),
        Expr::BinOp(op) if matches!(op.op, BinOpKind::ScAnd | BinOpKind::ScOr) => {
            is_plain(&op.left) && is_plain(&op.right)
        }
        // These fail, or come to a number, a truth or a text that is made and charged for.
        Expr::BinOp(_) | Expr::UnaryOp(_) | Expr::Compare(_) | Expr::Test(_) => true,
        Expr::IfExpr(one) => {
            is_plain(&one.true_expr) && one.false_expr.as_ref().is_none_or(is_plain)
        }
        Expr::Filter(filter) => PLAIN_FILTERS.contains(&filter.name),
        Expr::Slice(_)
        | Expr::GetItem(_)
        | Expr::Call(_)
        | Expr::List(_)
        | Expr::Tuple(_)
        | Expr::Map(_) => false,
    })
}

/// Whether a value has just been charged for by its weight.
fn is_weighed(value: &Expr<'_>) -> bool {
    matches!(value, Expr::Filter(_))
}

fn is_constant(value: &Expr<'_>) -> bool {
    match value {
        Expr::List(list) => list.as_const().is_some(),
        Expr::Tuple(tuple) => tuple.as_const().is_some(),
        _ => false,
    }
}

fn is_loop(value: &Expr<'_>) -> bool {
    matches!(value, Expr::Var(var) if var.id == "loop")
}
