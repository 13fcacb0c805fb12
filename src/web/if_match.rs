//! `If-Match: "state-<state_version>"`: who lifts a stop must have seen what it lifts.

use super::problem::Problem;
use actix_web::HttpRequest;
use actix_web::http::header::IF_MATCH;

/// The version of the state that the caller saw. Whether it is still the present one is asked where the state is kept.
///
/// # Errors
/// 428 without the header, 400 for one that names no state.
pub(super) fn seen(request: &HttpRequest) -> Result<u64, Problem> {
    let Some(header) = request.headers().get(IF_MATCH) else {
        let detail = "send If-Match: \"state-<state_version>\" with the state_version of /api/v1/status";
        return Err(Problem::precondition_required(detail));
    };
    header.to_str().ok().and_then(version).ok_or_else(|| {
        Problem::bad_request("If-Match names no state; it is \"state-<state_version>\", with the quotes")
    })
}

fn version(text: &str) -> Option<u64> {
    let digits = text.strip_prefix("\"state-")?.strip_suffix('"')?;
    // `parse` would also take a sign.
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::ResponseError as _;
    use actix_web::test::TestRequest;

    #[test]
    fn only_a_state_is_a_state() {
        let asked = |header: Option<&str>| {
            let request = TestRequest::post();
            let request = match header {
                Some(value) => request.insert_header((IF_MATCH, value)),
                None => request,
            };
            seen(&request.to_http_request()).map_err(|problem| problem.status_code().as_u16())
        };
        assert_eq!(asked(Some("\"state-7\"")), Ok(7));
        assert_eq!(asked(None), Err(428));
        for bad in [
            "7",
            "state-7",
            "\"state-+7\"",
            "\"state-\"",
            "*",
            "W/\"state-7\"",
            "\"state-99999999999999999999\"",
        ] {
            assert_eq!(asked(Some(bad)), Err(400), "{bad}");
        }
    }
}
