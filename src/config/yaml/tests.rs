//! The reader against the parser: places are the parser's own, and hostile text is refused with one.

use super::*;
use proptest::prelude::*;

fn source(text: &str) -> Source {
    Source::new("t.yaml", text).unwrap()
}

fn tree(text: &str) -> Node {
    read(&source(text)).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn refused(text: &str) -> (&'static str, usize, usize, String) {
    let error = read(&source(text)).unwrap_err();
    let at = error.position().unwrap();
    (error.fault.code(), at.line, at.column, error.path.to_string())
}

fn place(root: &Node, path: &[&str]) -> (usize, usize) {
    match root.find(&KeyPath::new(path.iter().copied())).unwrap().1.origin {
        Origin::File(at) => (at.line, at.column),
        ref other => panic!("{other:?}"),
    }
}

#[test]
fn places_of_block_flow_and_quoted_nodes() {
    let root = tree("# head\na:\n  b: 1\n  'c d': {e: \"x\", f: [1, two]}\nl:\n- x\n- y: 2\nü: ~\n");
    assert_eq!(place(&root, &["a", "b"]), (3, 6));
    assert_eq!(place(&root, &["a", "c d"]), (4, 10));
    assert_eq!(place(&root, &["a", "c d", "e"]), (4, 14));
    assert_eq!(place(&root, &["a", "c d", "f", "1"]), (4, 26));
    assert_eq!(place(&root, &["l", "0"]), (6, 3));
    assert_eq!(place(&root, &["l", "1", "y"]), (7, 6));
    assert_eq!(place(&root, &["ü"]), (8, 4));
}

#[test]
fn the_spelling_of_a_number_survives() {
    let root = tree("a: [0x1F, 1_000, 007, 1.50, +5, -3, true, 36893488147419103232]\nb: {c: 10}\n");
    let raw: Vec<_> = (0..8)
        .map(|index| match &root.find(&KeyPath::new(["a".to_owned(), index.to_string()])).unwrap().1.value {
            Value::Scalar(scalar) => (scalar.raw.clone(), scalar.reading),
            other => panic!("{other:?}"),
        })
        .collect();
    let want = [
        ("0x1F", Reading::Unsigned(31)),
        ("1_000", Reading::Text),
        ("007", Reading::Text),
        ("1.50", Reading::Float(1.5)),
        ("+5", Reading::Unsigned(5)),
        ("-3", Reading::Signed(-3)),
        ("true", Reading::Bool(true)),
        ("36893488147419103232", Reading::Oversized),
    ];
    assert_eq!(raw, want.map(|(text, reading)| (text.to_owned(), reading)));
}

#[test]
fn nothing_is_an_empty_mapping() {
    for text in ["", "\n", "# only a comment\n", "---\n", "{}", "\u{feff}"] {
        assert_eq!(tree(text).value, Value::Map(BTreeMap::new()), "{text:?}");
    }
}

#[test]
fn refusals_and_their_places() {
    let cases = [
        ("a: 1\nb: 2\na: 3\n", ("duplicate_key", 3, 1, "a")),
        ("m:\n  x: {k: 1, 'k': 2}\n", ("duplicate_key", 2, 13, "m.x.k")),
        ("a: &x 1\n", ("anchor_or_alias", 1, 4, "a")),
        ("a: &x\n  b: 1\n", ("anchor_or_alias", 1, 4, "a")),
        ("&x k: 1\n", ("anchor_or_alias", 1, 1, "")),
        ("b:\n  &x k: 1\n", ("anchor_or_alias", 2, 3, "b")),
        ("&x\na: 1\n", ("anchor_or_alias", 1, 1, "")),
        ("a:\n- 1\n- &x [2]\n", ("anchor_or_alias", 3, 3, "a.1")),
        ("a: *x\n", ("anchor_or_alias", 1, 4, "a")),
        ("a: !t 1\n", ("tag", 1, 4, "a")),
        ("a: !!str 1\n", ("tag", 1, 4, "a")),
        ("a: {<<: {b: 1}}\n", ("merge_key", 1, 5, "a.<<")),
        ("a: 1\n---\nb: 2\n", ("several_documents", 2, 1, "")),
        ("a: 1\n---\n", ("several_documents", 2, 1, "")),
        ("a: 1\n...\nb: 2\n", ("several_documents", 3, 1, "")),
        ("a: .inf\n", ("not_finite", 1, 4, "a")),
        ("a: [1, -.INF]\n", ("not_finite", 1, 8, "a.1")),
        ("a: .NaN\n", ("not_finite", 1, 4, "a")),
        ("a:\n\tb: 1\n", ("tab", 2, 1, "a")),
        ("a: \"x\nb: 1\n", ("unterminated_quote", 1, 4, "a")),
        ("'a: x\nb: 1\n", ("unterminated_quote", 1, 1, "")),
        ("? [a]\n: 1\n", ("key_not_text", 1, 3, "")),
        (": 1\n", ("syntax", 1, 1, "")),
        ("a: b: c\n", ("syntax", 1, 5, "")),
        ("- a\n", ("wrong_type", 1, 1, "")),
        ("text\n", ("wrong_type", 1, 1, "")),
    ];
    let wrong: Vec<_> = cases
        .into_iter()
        .map(|(text, (code, line, column, path))| {
            (text, refused(text), (code, line, column, path.to_owned()))
        })
        .filter(|(_, got, want)| got != want)
        .collect();
    assert!(wrong.is_empty(), "(text, got, want): {wrong:#?}");
}

#[test]
fn too_deep_is_refused() {
    let text = format!("a: {}{}\n", "[".repeat(200), "]".repeat(200));
    assert_eq!(refused(&text).0, "too_deep");
}

#[test]
fn a_variable_is_one_scalar() {
    let read = |text: &str| scalar(text).map(|scalar| (scalar.reading, scalar.raw));
    assert_eq!(read("7"), Ok((Reading::Unsigned(7), "7".into())));
    assert_eq!(read("\"7\""), Ok((Reading::Text, "7".into())));
    assert_eq!(read("a: b"), Ok((Reading::Text, "a: b".into())));
    assert_eq!(read("a # b"), Ok((Reading::Text, "a # b".into())));
    assert_eq!(read("[x"), Ok((Reading::Text, "[x".into())));
    assert_eq!(read("*x"), Ok((Reading::Text, "*x".into())));
    assert_eq!(read(""), Ok((Reading::Null, String::new())));
    assert_eq!(read(".inf").unwrap_err().code(), "not_finite");
}

/// A document to write down: the writer notes where it puts each node.
#[derive(Debug, Clone)]
enum Doc {
    Word(String),
    Quoted(String),
    List(Vec<Doc>),
    Map(Vec<(String, Doc)>),
}

fn docs() -> impl Strategy<Value = Doc> {
    let leaf = prop_oneof![
        "[a-z0-9äß][a-z0-9äß ]{0,6}[a-z0-9]".prop_map(Doc::Word),
        "[ a-zü:#,\\[\\]{}&*!-]{0,8}".prop_map(Doc::Quoted),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(Doc::List),
            prop::collection::btree_map("[a-zö]{1,6}", inner, 1..4)
                .prop_map(|map| Doc::Map(map.into_iter().collect())),
        ]
    })
}

/// Where the writer put a node: path, line, column.
type Places = Vec<(Vec<String>, usize, usize)>;

/// Writes `doc` at the end of `out`, in flow style when `flow`, else in block style at `indent`.
fn write(
    doc: &Doc,
    flow: bool,
    indent: usize,
    path: &mut Vec<String>,
    out: &mut String,
    places: &mut Places,
) {
    let here = |out: &str| {
        let line = out.matches('\n').count() + 1;
        (line, out.rsplit('\n').next().unwrap_or_default().chars().count() + 1)
    };
    let note = |out: &str, path: &[String], places: &mut Places| {
        let (line, column) = here(out);
        places.push((path.to_vec(), line, column));
    };
    let pad = " ".repeat(indent);
    match doc {
        Doc::Word(text) => {
            note(out, path, places);
            out.push_str(text);
        }
        Doc::Quoted(text) => {
            note(out, path, places);
            out.push_str(&format!("'{text}'"));
        }
        Doc::List(items) if flow => {
            note(out, path, places);
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                path.push(index.to_string());
                write(item, true, 0, path, out, places);
                path.pop();
                out.push_str(", ");
            }
            out.push(']');
        }
        Doc::Map(entries) if flow => {
            note(out, path, places);
            out.push('{');
            for (key, item) in entries {
                out.push_str(&format!("\"{key}\": "));
                path.push(key.clone());
                write(item, true, 0, path, out, places);
                path.pop();
                out.push_str(", ");
            }
            out.push('}');
        }
        Doc::List(items) => {
            for (index, item) in items.iter().enumerate() {
                out.push_str(&format!("\n{pad}"));
                if index == 0 {
                    note(out, path, places);
                }
                out.push_str("- ");
                path.push(index.to_string());
                write(item, true, 0, path, out, places);
                path.pop();
            }
        }
        Doc::Map(entries) => {
            for (index, (key, item)) in entries.iter().enumerate() {
                out.push_str(&format!("   # {key}: no key\n{pad}"));
                if index == 0 {
                    note(out, path, places);
                }
                out.push_str(&format!("{key}: "));
                path.push(key.clone());
                write(item, index % 2 == 1, indent + 2, path, out, places);
                path.pop();
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_node_is_where_it_was_written(entries in prop::collection::btree_map("[a-zö]{1,6}", docs(), 1..5)) {
        let doc = Doc::Map(entries.into_iter().collect());
        let (mut text, mut places) = (String::from("# document"), Places::new());
        write(&doc, false, 0, &mut Vec::new(), &mut text, &mut places);
        text.push('\n');
        let root = read(&source(&text)).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        prop_assert!(serde_yaml::from_str::<serde_yaml::Value>(&text).is_ok());
        for (path, line, column) in places {
            let node = root.find(&KeyPath::new(path.clone())).map(|(_, node)| node.origin.clone());
            prop_assert_eq!(node, Some(Origin::File(Position { line, column })), "{:?} in\n{}", path, text);
        }
    }

    #[test]
    fn arbitrary_text_never_panics(text in ".*") {
        if let Ok(source) = Source::new("t", text) {
            let _ = read(&source);
        }
    }

    #[test]
    fn yaml_like_text_never_panics(text in "([a-c]|[-:?,&*!|>'\"%@`#~<{}\\[\\]\n\t ]|  |: |- |\n  |---\n|<<: ){0,60}") {
        if let Ok(source) = Source::new("t", text.clone()) {
            // What this reader accepts, the parser accepts, and the other way round never worse.
            let ours = read(&source).is_ok();
            let theirs = serde_yaml::from_str::<serde_yaml::Value>(&text).is_ok();
            prop_assert!(!ours || theirs, "accepted what the parser refuses: {:?}", text);
            let _ = scalar(&text);
        }
    }
}
