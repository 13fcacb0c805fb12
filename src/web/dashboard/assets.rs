//! What the page loads: style, script, icons, the chart library. All of it is in the binary, compressed once, and is
//! served under the name of its content, so that a browser asks for it once.

use crate::web::problem::Problem;
use actix_web::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, ETAG, HeaderMap, IF_NONE_MATCH, VARY,
};
use actix_web::web::{Bytes, Path};
use actix_web::{HttpRequest, HttpResponse};
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};
use std::io::Write as _;
use std::sync::LazyLock;

/// A file of the page.
struct Asset {
    name: &'static str,
    media: &'static str,
    bytes: &'static [u8],
}

const SVG: &str = "image/svg+xml";
const JS: &str = "text/javascript; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";

/// All files.
const ASSETS: &[Asset] = &[
    Asset { name: "desk.css", media: CSS, bytes: include_bytes!("assets/desk.css") },
    Asset { name: "desk.js", media: JS, bytes: include_bytes!("assets/desk.js") },
    Asset {
        name: "uplot.css",
        media: CSS,
        bytes: include_bytes!("assets/vendor/uplot-1.6.32/uPlot.min.css"),
    },
    Asset {
        name: "uplot.js",
        media: JS,
        bytes: include_bytes!("assets/vendor/uplot-1.6.32/uPlot.iife.min.js"),
    },
    Asset { name: "icon-ok.svg", media: SVG, bytes: include_bytes!("assets/icon-ok.svg") },
    Asset { name: "icon-warn.svg", media: SVG, bytes: include_bytes!("assets/icon-warn.svg") },
    Asset { name: "icon-crit.svg", media: SVG, bytes: include_bytes!("assets/icon-crit.svg") },
    Asset { name: "icon-busy.svg", media: SVG, bytes: include_bytes!("assets/icon-busy.svg") },
    Asset { name: "icon-stale.svg", media: SVG, bytes: include_bytes!("assets/icon-stale.svg") },
];

/// Names the content of all files together.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut sum = Sha256::new();
    for asset in ASSETS {
        sum.update(asset.name);
        sum.update(asset.bytes);
    }
    hex::encode(sum.finalize()).chars().take(16).collect()
});

static COMPRESSED: LazyLock<Vec<Option<Bytes>>> =
    LazyLock::new(|| ASSETS.iter().map(|asset| compressed(asset.bytes, Compression::best())).collect());

/// The address of a file, or of what several names begin with.
pub(super) fn address(name: &str) -> String {
    format!("/assets/{}/{name}", *VERSION)
}

/// `GET /assets/{version}/{name}`: 404 for another version, so that no browser keeps one file of each.
pub(in crate::web) async fn asset(
    request: HttpRequest,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let (version, name) = path.into_inner();
    let found = ASSETS.iter().position(|asset| asset.name == name).filter(|_| version == *VERSION);
    let Some((index, asset)) = found.and_then(|index| Some((index, ASSETS.get(index)?))) else {
        return Err(Problem::not_found(format!("no file {name} in version {version} of the page")));
    };
    let tag = format!("\"{}\"", *VERSION);
    let known = request.headers().get(IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let mut answer =
        if known == Some(tag.as_str()) { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    answer
        .insert_header((ETAG, tag.clone()))
        .insert_header((VARY, "Accept-Encoding"))
        .insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"));
    if known == Some(tag.as_str()) {
        return Ok(answer.finish());
    }
    answer.content_type(asset.media);
    let small = COMPRESSED.get(index).and_then(Option::clone).filter(|_| takes_gzip(request.headers()));
    Ok(match small {
        Some(small) => answer.insert_header((CONTENT_ENCODING, "gzip")).body(small),
        None => answer.body(Bytes::from_static(asset.bytes)),
    })
}

/// Does whoever asks read gzip?
pub(super) fn takes_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accepted.split(',').any(|one| {
        let (name, weight) = one.split_once(';').unwrap_or((one, ""));
        name.trim().eq_ignore_ascii_case("gzip")
            && !matches!(weight.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
    })
}

/// Bytes as gzip; `None` when they could not be written, which memory always can.
pub(super) fn compressed(bytes: &[u8], how: Compression) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), how);
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path as FilePath;

    /// Everything that a first load brings besides the page itself.
    #[test]
    fn the_files_of_the_page_are_small() {
        let sum: usize = COMPRESSED.iter().map(|file| file.as_ref().unwrap().len()).sum();
        assert!(sum < 60 * 1024, "{sum} bytes");
    }

    #[test]
    fn what_was_taken_from_others_is_what_the_manifest_says() {
        let folder = FilePath::new(env!("CARGO_MANIFEST_DIR")).join("src/web/dashboard/assets/vendor");
        let manifest = std::fs::read_to_string(folder.join("MANIFEST.toml")).unwrap();
        let mut checked = 0;
        let mut package = String::new();
        for line in manifest.lines() {
            let Some((name, value)) = line.split_once(" = ") else { continue };
            let value = value.trim_matches('"');
            match name {
                "name" => package = value.to_owned(),
                "version" => package = format!("{package}-{value}"),
                file if file.starts_with('"') => {
                    let path = folder.join(&package).join(file.trim_matches('"'));
                    let sum = hex::encode(Sha256::digest(std::fs::read(&path).unwrap()));
                    assert_eq!(sum, value, "{}", path.display());
                    checked += 1;
                }
                _ => {}
            }
        }
        let there: usize = std::fs::read_dir(&folder)
            .unwrap()
            .map(Result::unwrap)
            .filter(|entry| entry.path().is_dir())
            .map(|entry| std::fs::read_dir(entry.path()).unwrap().count())
            .sum();
        assert!(checked > 0 && checked == there, "{checked} of {there} files are in the manifest");
    }

    #[test]
    fn who_does_not_read_gzip_gets_none() {
        let with = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, value.parse().unwrap());
            takes_gzip(&headers)
        };
        assert!(with("gzip, deflate, br") && with("br;q=1, GZIP;q=0.5"));
        assert!(!with("br") && !with("gzip;q=0") && !takes_gzip(&HeaderMap::new()));
    }
}
