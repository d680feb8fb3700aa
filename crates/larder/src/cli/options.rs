//! Options that several commands share. Each is also a `LARDER_…` variable.

use std::path::PathBuf;

use clap::Args;

use crate::data_dir::DataDir;

/// Which Larder is meant.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct DataOptions {
    /// The folder that holds everything of an embedded Larder.
    #[arg(long, env = "LARDER_DATA_DIR", value_name = "DIR", default_value = "./larder-data")]
    pub(crate) data_dir: PathBuf,
    /// The configuration file [default: DIR/larder.toml, if it is there].
    #[arg(long, env = "LARDER_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/DATABASE` [default: SQLite in DIR].
    #[arg(long, env = "LARDER_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub(crate) database_url: Option<String>,
    /// `file:PATH` or `s3://BUCKET/PREFIX`, with the usual AWS variables and AWS_ENDPOINT_URL_S3 [default: in DIR].
    #[arg(long, env = "LARDER_STORAGE_URL", value_name = "URL")]
    pub(crate) storage_url: Option<String>,
    /// The AWS region in ARNs and signatures [default: us-east-1].
    #[arg(long, env = "LARDER_REGION", value_name = "REGION")]
    pub(crate) region: Option<String>,
}

impl DataOptions {
    /// The data directory.
    pub(crate) fn data_dir(&self) -> DataDir {
        DataDir::new(self.data_dir.clone())
    }
}

/// Options of `serve`.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ServeOptions {
    #[command(flatten)]
    pub(crate) data: DataOptions,
    /// Address and port to listen on; port 0 takes a free one [default: 127.0.0.1:5273].
    #[arg(long, env = "LARDER_LISTEN", value_name = "ADDR:PORT")]
    pub(crate) listen: Option<String>,
    /// The address that clients use, if it is not the listener's.
    #[arg(long, env = "LARDER_BASE_URL", value_name = "URL")]
    pub(crate) base_url: Option<String>,
    /// The address of a public registry, such as public:npmjs=http://127.0.0.1:4873/. Repeatable.
    #[arg(long, env = "LARDER_EXTERNAL", value_name = "NAME=URL", value_delimiter = ',')]
    pub(crate) external: Vec<String>,
    /// A file to write the base URL to, atomically, once requests are served.
    #[arg(long, env = "LARDER_READY_FILE", value_name = "PATH")]
    pub(crate) ready_file: Option<PathBuf>,
    /// Do not create an account, an administrator, credentials, a domain and repositories at first start.
    #[arg(long, env = "LARDER_NO_BOOTSTRAP")]
    pub(crate) no_bootstrap: bool,
    /// What to log: a level, or directives such as larder_http=debug [default: info].
    #[arg(long, env = "LARDER_LOG", value_name = "FILTER")]
    pub(crate) log: Option<String>,
    /// `human`, `json`, or `auto`: human on a terminal, JSON otherwise [default: auto].
    #[arg(long, env = "LARDER_LOG_FORMAT", value_name = "FORMAT")]
    pub(crate) log_format: Option<String>,
    /// A proxy whose Forwarded and X-Forwarded-* headers are believed, as a CIDR range. Repeatable.
    #[arg(long, env = "LARDER_TRUSTED_PROXY", value_name = "CIDR", value_delimiter = ',')]
    pub(crate) trusted_proxy: Vec<String>,
    /// Serve package managers by host name, as AWS does, such as {domain}-{owner}.d.example.com
    #[arg(long, env = "LARDER_ENDPOINT_HOST", value_name = "HOST")]
    pub(crate) endpoint_host: Option<String>,
    /// Speak TLS with this certificate, a PEM file with those that lead to its authority; read again when it changes.
    #[arg(long, env = "LARDER_TLS_CERT", value_name = "FILE")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The certificate's key, a PEM file.
    #[arg(long, env = "LARDER_TLS_KEY", value_name = "FILE")]
    pub(crate) tls_key: Option<PathBuf>,
    /// `self-signed`: speak TLS with a certificate of a local authority, made in the data directory; `off` [default: off].
    #[arg(long, env = "LARDER_TLS", value_name = "MODE")]
    pub(crate) tls: Option<String>,
}

impl From<DataOptions> for ServeOptions {
    fn from(data: DataOptions) -> Self {
        Self { data, ..Self::default() }
    }
}
