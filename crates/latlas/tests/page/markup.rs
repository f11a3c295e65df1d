//! A strict reading of the page: tags balance, attributes are quoted, ids are unique, links lead somewhere, and every
//! plot has a size, a title, a description and labels.

/// Elements that have no end.
const VOID: [&str; 6] = ["meta", "link", "br", "hr", "img", "input"];

struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    closed: bool,
}

fn attribute<'a>(element: &'a Element, name: &str) -> Option<&'a str> {
    element.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// The inside of a tag taken apart.
fn read_tag(text: &str) -> Element {
    let closed = text.ends_with('/');
    let text = text.trim_end_matches('/');
    let (name, mut rest) = text.split_once(' ').unwrap_or((text, ""));
    assert!(name.chars().all(|c| c.is_ascii_alphanumeric()), "odd tag <{text}>");
    let mut attributes = Vec::new();
    while !rest.trim().is_empty() {
        rest = rest.trim_start();
        let end = rest.find(['=', ' ']).unwrap_or(rest.len());
        let key = &rest[..end];
        assert!(key.chars().all(|c| c.is_ascii_alphanumeric() || "-:".contains(c)), "odd attribute {key:?} in <{text}>");
        assert!(!key.starts_with("on"), "an event handler: <{text}>");
        rest = &rest[end..];
        let mut value = "";
        if let Some(quoted) = rest.strip_prefix("=\"") {
            let end = quoted.find('"').unwrap();
            (value, rest) = (&quoted[..end], &quoted[end + 1..]);
        } else {
            assert!(!rest.starts_with('='), "an attribute without quotes: <{text}>");
        }
        assert!(!attributes.iter().any(|(k, _)| k == key), "{key} twice in <{text}>");
        attributes.push((key.to_string(), value.to_string()));
    }
    Element { name: name.into(), attributes, closed }
}

/// Fails with the place of the first fault.
pub fn check_markup(page: &str) {
    let mut open: Vec<String> = Vec::new();
    let (mut ids, mut links, mut references) = (Vec::new(), Vec::new(), Vec::new());
    let mut pictures = Vec::new();
    let body = page.strip_prefix("<!DOCTYPE html>").unwrap();
    let mut rest = body;
    while let Some(start) = rest.find('<') {
        let end = start + rest[start..].find('>').unwrap();
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "at …{}", &rest[..rest.len().min(80)]);
            continue;
        }
        let element = read_tag(tag);
        assert!(element.name != "script" && element.name != "iframe" && element.name != "object", "<{tag}>");
        ids.extend(attribute(&element, "id").map(String::from));
        links.extend(attribute(&element, "href").and_then(|h| h.strip_prefix('#')).map(String::from));
        references.extend(attribute(&element, "aria-labelledby").into_iter().flat_map(|r| r.split(' ')).map(String::from));
        if element.name == "svg" {
            let number = |name: &str| attribute(&element, name).and_then(|v| v.parse::<f64>().ok()).unwrap();
            assert!(number("width") > 100.0 && number("height") > 50.0, "{tag}");
            assert_eq!(attribute(&element, "role"), Some("img"));
            let inside = &rest[..rest.find("</svg>").unwrap()];
            pictures.push(inside.to_string());
        }
        if element.name == "image" || element.name == "img" {
            assert!(attribute(&element, "href").unwrap().starts_with("data:image/png;base64,"));
        }
        if element.name == "style" {
            rest = &rest[rest.find("</style>").unwrap()..];
        }
        if !element.closed && !VOID.contains(&element.name.as_str()) {
            open.push(element.name);
        }
    }
    assert!(open.is_empty(), "never closed: {open:?}");
    for picture in &pictures {
        assert!(picture.starts_with("<title id=") && picture.contains("<desc id="));
        assert!(picture.matches("<text ").count() >= 4, "a plot without labels: {}", &picture[..200]);
        // The letters of an encoded image may spell anything.
        let drawn: String =
            picture.split("base64,").enumerate().map(|(i, part)| if i == 0 { part } else { &part[part.find('"').unwrap()..] }).collect();
        assert!(!drawn.contains("NaN") && !drawn.contains("inf\""));
    }
    let mut unique = ids.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), ids.len(), "an id twice: {ids:?}");
    for link in links.iter().chain(&references) {
        assert!(ids.contains(link), "nothing has the id {link:?}");
    }
}
