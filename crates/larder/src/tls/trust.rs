//! How clients are told to trust the local authority.

use std::path::Path;

/// One line per kind of client; what each of them reads is its own documentation's word.
pub(super) fn instructions(authority: &Path, base_url: &str) -> String {
    let file = authority.display();
    format!(
        "  The certificate is of a local authority that nobody trusts yet. Tell clients to trust {file}:\n  \
           AWS CLI, boto3       export AWS_CA_BUNDLE={file}  (`larder env` does)\n  \
           npm, pnpm, yarn      export NODE_EXTRA_CA_CERTS={file}\n  \
           pip, twine, poetry   export PIP_CERT={file} REQUESTS_CA_BUNDLE={file}\n  \
           uv, curl, gem, .NET  export SSL_CERT_FILE={file}  (replaces the machine's authorities)\n  \
           cargo                export CARGO_HTTP_CAINFO={file}\n  \
           git                  git config --global http.{base_url}/.sslCAInfo {file}\n  \
           Maven, Gradle        keytool -importcert -noprompt -alias larder -file {file} -keystore STORE\n  \
           Swift, everybody     cp {file} /usr/local/share/ca-certificates/larder.crt && update-ca-certificates"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_client_is_told_the_file() {
        let text = instructions(Path::new("/data/tls/ca.pem"), "https://127.0.0.1:5273");
        for wanted in
            ["AWS_CA_BUNDLE=/data/tls/ca.pem", "NODE_EXTRA_CA_CERTS=", "PIP_CERT=", "http.https://127.0.0.1:5273/.ssl"]
        {
            assert!(text.contains(wanted), "{text}");
        }
    }
}
