//! What the comments above the statements say.

use std::path::Path;

/// What is said of a statement.
pub(super) struct Comment {
    pub(super) file: String,
    /// The constant.
    pub(super) name: String,
    /// The indexes that are named, beside primary keys and what is unique by its columns.
    pub(super) indexes: Vec<String>,

    /// The last piece of the statement's text, which may be all of it.
    end: String,
    is_whole: bool,
}

/// All of the crate's sources.
pub(super) fn all() -> Vec<Comment> {
    let mut comments = Vec::new();
    read_folder(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut comments,
    );
    comments
}

/// The one of this statement.
pub(super) fn of<'a>(comments: &'a [Comment], sql: &str) -> Option<&'a Comment> {
    let whole = comments
        .iter()
        .find(|comment| comment.is_whole && comment.end == sql);
    // A statement may end as another one does: the one that says more of it is meant.
    let parts = comments
        .iter()
        .filter(|comment| !comment.is_whole && sql.ends_with(&comment.end));
    whole.or_else(|| parts.max_by_key(|comment| comment.end.len()))
}

fn read_folder(folder: &Path, comments: &mut Vec<Comment>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            read_folder(&path, comments);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = std::fs::read_to_string(&path).expect("a source");
            let file = path.file_name().unwrap_or_default().to_string_lossy();
            comments.extend(read(&file, &text));
        }
    }
}

/// Each `// ...` that stands right above a constant of text.
fn read(file: &str, text: &str) -> Vec<Comment> {
    let lines: Vec<&str> = text.lines().collect();
    let pairs = lines.windows(2).enumerate();
    let found = pairs.filter_map(|(at, pair)| {
        let said = pair[0].strip_prefix("// ")?;
        let (name, _) = pair[1].split_once(": &str =")?;
        let name = name.rsplit(' ').next()?.to_owned();
        // Up to the remark.
        let said = said.split([';', ':']).next()?;
        let words = said
            .split([' ', ','])
            .map(|word| word.trim_end_matches('.'));
        let indexes = words.filter(|word| word.contains('_') && !word.contains('('));
        let indexes: Vec<String> = indexes.map(str::to_owned).collect();
        let says = !indexes.is_empty() || said.contains("primary key") || said.contains("unique (");
        says.then(|| {
            let (end, is_whole) = last_literal(&lines[at + 1..]);
            Comment {
                file: file.to_owned(),
                name,
                indexes,
                end,
                is_whole,
            }
        })
    });
    found.collect()
}

/// The last text literal of the constant that begins here, as the compiler reads it, and whether it is all of it.
fn last_literal(lines: &[&str]) -> (String, bool) {
    let end = lines.iter().position(|line| line.ends_with(';'));
    let joined = lines[..=end.expect("an end")].join("\n");
    let is_whole = !joined.contains("concat!");
    let joined = joined
        .trim_end_matches([';', ')', ',', '\n', ' '])
        .replace("\\\"", "\u{1}");
    let literal = joined.strip_suffix('"').expect("a literal");
    let began = literal.rfind('"').expect("its beginning");
    let mut lines = literal[began + 1..].split("\\\n");
    let mut text = lines.next().unwrap_or_default().to_owned();
    lines.for_each(|line| text.push_str(line.trim_start()));
    (text.replace('\u{1}', "\""), is_whole)
}

#[test]
fn comments_are_read() {
    let source = "// some_index, primary keys; a remark_that is none\nconst A: &str = \"select 1 \\\n     where true\";\n";
    let read = read("a.rs", source);
    assert_eq!(read.len(), 1);
    assert_eq!(read[0].indexes, ["some_index"]);

    assert!(of(&read, "select 1 where true").is_some());
}
