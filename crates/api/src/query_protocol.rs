//! The AWS Query protocol of STS and IAM: parameters in a form, answers in XML.

mod xml;

use http::request::Parts;
use http::{Method, StatusCode};
use larder_auth::sigv4::{SignatureError, SignedRequest};
use larder_core::access::Caller;
use larder_core::error::{Error, Result, ValidationReason};
use larder_http::{PeerInfo, RequestBody, Response, response};
use percent_encoding::percent_decode;
use sha2::{Digest as _, Sha256};

use crate::api::Api;
use crate::authenticate::look_up;
use crate::error::{ApiError, Described};
pub(crate) use xml::Xml;
use xml::escape;

/// The longest form.
const FORM_LIMIT_BYTES: u64 = 64 * 1024;
const XML: &str = "text/xml";

/// The parameters of a call, from the query or from a form in the body.
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads the form of a request: its body if it is a POST, else its query.
    ///
    /// # Errors
    /// [`Error::Validation`] for what is not UTF-8 once decoded.
    pub(crate) fn parse(method: &Method, query: Option<&str>, body: &[u8]) -> Result<Self> {
        let text = if method == Method::POST && !body.is_empty() { body } else { query.unwrap_or("").as_bytes() };
        let pairs = text.split(|b| *b == b'&').filter(|pair| !pair.is_empty());
        let pair = |pair: &[u8]| {
            let mut parts = pair.splitn(2, |b| *b == b'=');
            Ok((decode(parts.next().unwrap_or_default())?, decode(parts.next().unwrap_or_default())?))
        };
        pairs.map(pair).collect::<Result<_>>().map(Self)
    }

    /// The values of a list of texts: `Name.member.1`, `Name.member.2`, in order.
    pub(crate) fn list(&self, name: &str) -> Vec<&str> {
        (1..).map_while(|number| self.find(&format!("{name}.member.{number}"))).collect()
    }

    /// A list of structures: for each, the values of these members.
    pub(crate) fn structures<'a, const N: usize>(
        &'a self,
        name: &str,
        members: [&str; N],
    ) -> Vec<[Option<&'a str>; N]> {
        let structure = |number: usize| {
            let found = members.map(|member| self.find(&format!("{name}.member.{number}.{member}")));
            found.iter().any(Option::is_some).then_some(found)
        };
        (1..).map_while(structure).collect()
    }

    /// A parameter that must be there.
    ///
    /// # Errors
    /// [`Error::Validation`] in AWS's words.
    pub(crate) fn require(&self, name: &str) -> Result<&str> {
        self.find(name).ok_or_else(|| {
            let mut member = name.to_owned();
            member[..1].make_ascii_lowercase();
            let message = format!(
                "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
            );
            Error::validation(member, message)
        })
    }

    /// A parameter's value.
    pub(crate) fn find(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

fn decode(text: &[u8]) -> Result<String> {
    let spaced: Vec<u8> = text.iter().map(|b| if *b == b'+' { b' ' } else { *b }).collect();
    percent_decode(&spaced).decode_utf8().map(std::borrow::Cow::into_owned).map_err(|_| Error::Validation {
        field: "body".into(),
        reason: ValidationReason::CannotParse,
        message: "the form is not UTF-8 once it is decoded".to_owned(),
    })
}

/// Authenticates a call and reads its form.
pub(crate) async fn receive(
    api: &Api,
    parts: &Parts,
    body: RequestBody,
    signed: Result<SignedRequest, SignatureError>,
    peer: &PeerInfo,
    request_id: &str,
) -> Result<(Caller, Form), ApiError> {
    let claim = look_up(&api.services, signed?, peer).await?;
    let body = body.collect(FORM_LIMIT_BYTES).await?;
    let sha256 = Sha256::digest(&body).into();
    let caller = claim.verify(&api.services, &api.verifier, Some(&sha256), peer, request_id)?;
    Ok((caller, Form::parse(&parts.method, parts.uri.query(), &body)?))
}

/// Reads the form of a call that is not signed.
pub(crate) async fn receive_unsigned(parts: &Parts, body: RequestBody) -> Result<Form> {
    let body = body.collect(FORM_LIMIT_BYTES).await?;
    Form::parse(&parts.method, parts.uri.query(), &body)
}

/// The name that query services have for what REST-JSON services name with `Exception`.
fn query_code(code: &'static str) -> &'static str {
    match code {
        "AccessDeniedException" => "AccessDenied",
        "ValidationException" => "ValidationError",
        "ThrottlingException" => "Throttling",
        "InternalServerException" => "InternalFailure",
        other => other,
    }
}

/// What XML answers of one service are wrapped in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dialect {
    pub(crate) namespace: &'static str,
}

impl Dialect {
    /// The result of `action`: members and their texts.
    pub(crate) fn result(self, action: &str, members: &[(&str, &str)], request_id: &str) -> Response {
        self.answer(action, request_id, |xml| members.iter().for_each(|(name, text)| xml.text(name, text)))
    }

    /// The result of `action`: what `content` writes.
    pub(crate) fn answer(self, action: &str, request_id: &str, content: impl FnOnce(&mut Xml)) -> Response {
        let mut result = Xml::at_depth(1);
        result.nested(&format!("{action}Result"), content);
        result.nested("ResponseMetadata", |xml| xml.text("RequestId", request_id));
        let xml =
            format!("<{action}Response xmlns=\"{}\">\n{}</{action}Response>\n", self.namespace, result.into_text());
        response::content(StatusCode::OK, XML, xml)
    }

    /// A failure. Signatures are refused under the names that query services have for it.
    pub(crate) fn failure(self, error: &ApiError, request_id: &str) -> Response {
        error.log(request_id);
        let Described { status, code, message } = error.describe();
        let code = match error {
            ApiError::Signature(error) => error.query_code(),
            ApiError::UnknownOperation | ApiError::Operation(_) => query_code(code),
        };
        error.with_retry_after(self.refuse(status, code, &message, request_id))
    }

    /// The failure for an action that is not there.
    pub(crate) fn invalid_action(self, form: &Form, why: &str, request_id: &str) -> Response {
        let action = form.find("Action").unwrap_or("");
        let version = form.find("Version").unwrap_or("");
        let message = format!("Could not find operation {action} for version {version}{why}");
        self.refuse(StatusCode::BAD_REQUEST, "InvalidAction", &message, request_id)
    }

    /// A failure of this name.
    pub(crate) fn refuse(self, status: StatusCode, code: &str, message: &str, request_id: &str) -> Response {
        let side = if status.is_server_error() { "Receiver" } else { "Sender" };
        let xml = format!(
            "<ErrorResponse xmlns=\"{}\">\n  <Error>\n    <Type>{side}</Type>\n    <Code>{code}</Code>\n    \
             <Message>{}</Message>\n  </Error>\n  <RequestId>{}</RequestId>\n</ErrorResponse>\n",
            self.namespace,
            escape(message),
            escape(request_id)
        );
        response::content(status, XML, xml)
    }
}

#[cfg(test)]
mod tests {
    use larder_http::Body;

    use super::*;

    const STS: Dialect = Dialect { namespace: "https://sts.amazonaws.com/doc/2011-06-15/" };

    fn text(response: &Response) -> String {
        let Body::Full(body) = response.body() else { panic!("an answer has a body") };
        String::from_utf8(body.to_vec()).unwrap()
    }

    #[test]
    fn parameters_come_in_a_form_or_in_the_query() {
        let form = Form::parse(&Method::POST, None, b"Action=Get+It&Version=2011%2D06-15&Empty").unwrap();
        assert_eq!(form.find("Action"), Some("Get It"));
        assert_eq!(form.find("Version"), Some("2011-06-15"));
        assert_eq!(form.find("Empty"), Some(""));
        assert_eq!(form.find("Other"), None);
        assert_eq!(Form::parse(&Method::GET, Some("Action=A"), b"").unwrap().find("Action"), Some("A"));
        assert_eq!(Form::parse(&Method::POST, Some("Action=A"), b"").unwrap().find("Action"), Some("A"));
        assert!(Form::parse(&Method::POST, None, b"a=%ff").is_err());
    }

    #[test]
    fn lists_are_numbered_members() {
        let body = b"Keys.member.1=a&Keys.member.2=b&Keys.member.4=d&Tags.member.1.Key=k&Tags.member.1.Value=v&Tags.member.2.Key=l";
        let form = Form::parse(&Method::POST, None, body).unwrap();
        assert_eq!(form.list("Keys"), ["a", "b"]);
        assert!(form.list("Others").is_empty());
        let tags = form.structures("Tags", ["Key", "Value"]);
        assert_eq!(tags, [[Some("k"), Some("v")], [Some("l"), None]]);
        let missing = form.require("RoleArn").unwrap_err().to_string();
        assert!(missing.contains("Value null at 'roleArn'"), "{missing}");
    }

    #[test]
    fn results_are_wrapped_twice() {
        let response = STS.result("GetCallerIdentity", &[("UserId", "AIDA"), ("Arn", "a<b>&\"c\u{1}")], "r-1");
        assert_eq!(
            text(&response),
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n  \
             <GetCallerIdentityResult>\n    <UserId>AIDA</UserId>\n    <Arn>a&lt;b&gt;&amp;&quot;c?</Arn>\n  \
             </GetCallerIdentityResult>\n  <ResponseMetadata>\n    <RequestId>r-1</RequestId>\n  </ResponseMetadata>\n\
             </GetCallerIdentityResponse>\n"
        );
        assert_eq!(response.headers()["content-type"], "text/xml");
    }

    #[test]
    fn failures_have_the_names_of_query_services() {
        let response = STS.failure(&SignatureError::UnrecognizedClient.into(), "r-1");
        assert_eq!(response.status(), 403);
        assert_eq!(
            text(&response),
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n  <Error>\n    <Type>Sender</Type>\n    \
             <Code>InvalidClientTokenId</Code>\n    <Message>The security token included in the request is \
             invalid.</Message>\n  </Error>\n  <RequestId>r-1</RequestId>\n</ErrorResponse>\n"
        );
        let form = Form::parse(&Method::POST, None, b"Action=Nope&Version=1").unwrap();
        let response = STS.invalid_action(&form, "", "r-1");
        assert_eq!(response.status(), 400);
        assert!(text(&response).contains("<Code>InvalidAction</Code>"));
        assert!(text(&response).contains("Could not find operation Nope for version 1<"));
        let response = STS.failure(&Error::internal("x").into(), "r-1");
        assert!(text(&response).contains("<Type>Receiver</Type>"));
    }
}
