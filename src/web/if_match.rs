//! `If-Match: "state-<state_version>"`: who lifts a stop must have seen what it lifts.

use super::problem::Problem;
use actix_web::HttpRequest;
use actix_web::http::header::IF_MATCH;

/// Compares the state that the caller saw with the one that is.
///
/// # Errors
/// 428 without the header, 400 for one that names no state, 412 when the state has changed since.
pub(super) fn the_present_state(request: &HttpRequest, present: u64) -> Result<(), Problem> {
    let Some(header) = request.headers().get(IF_MATCH) else {
        let detail = "send If-Match: \"state-<state_version>\" with the state_version of /api/v1/status";
        return Err(Problem::precondition_required(detail));
    };
    let seen = header.to_str().ok().and_then(version).ok_or_else(|| {
        Problem::bad_request("If-Match names no state; it is \"state-<state_version>\", with the quotes")
    })?;
    if seen == present {
        return Ok(());
    }
    Err(Problem::precondition_failed(format!("the state is now \"state-{present}\"; look again")))
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
    fn only_the_present_state_passes() {
        let asked = |header: Option<&str>| {
            let request = TestRequest::post();
            let request = match header {
                Some(value) => request.insert_header((IF_MATCH, value)),
                None => request,
            };
            the_present_state(&request.to_http_request(), 7).map_err(|problem| problem.status_code().as_u16())
        };
        assert_eq!(asked(Some("\"state-7\"")), Ok(()));
        assert_eq!(asked(None), Err(428));
        assert_eq!(asked(Some("\"state-6\"")), Err(412));
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
