"""The documented forms of keys and tokens."""

import re
from typing import NamedTuple


class Form(NamedTuple):
    """What a secret is called, texts one of which it holds, and its pattern.

    A pattern begins at the edge of a word of its own characters, so that no text is read twice.
    """

    kind: str
    holds: tuple[str, ...]
    pattern: re.Pattern[str]


def _form(kind: str, holds: str, pattern: str) -> Form:
    return Form(kind, tuple(holds.split()), re.compile(rf"(?<![\w-])(?:{pattern})(?![\w-])", re.ASCII))


FORMS = (
    _form("AWS_KEY", "AKIA ASIA ABIA ACCA", r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}"),
    _form("GOOGLE_KEY", "AIza", r"AIza[\w-]{35}"),
    _form("GOOGLE_KEY", "ya29.", r"ya29\.[\w-]{20,400}"),
    _form("GOOGLE_KEY", "GOCSPX-", r"GOCSPX-[\w-]{28}"),
    _form("AZURE_KEY", "Q~", r"[\w.~-]{3}\dQ~[\w.~-]{31,34}"),
    _form("GITHUB_TOKEN", "ghp_ gho_ ghu_ ghs_ ghr_", r"gh[pousr]_[A-Za-z0-9]{36,255}"),
    _form("GITHUB_TOKEN", "github_pat_", r"github_pat_[A-Za-z0-9_]{40,255}"),
    _form("GITLAB_TOKEN", "glpat- gldt- glptt- glrt- glcbt- glft-", r"gl(?:pat|dt|ptt|rt|cbt|ft)-[\w.-]{20,120}"),
    _form("SLACK_TOKEN", "xoxa- xoxb- xoxe xoxp- xoxr- xoxs-", r"xox(?:[abeprs]|e\.xox[bp])-[A-Za-z0-9-]{10,250}"),
    _form("SLACK_TOKEN", "xapp-", r"xapp-\d-[A-Z0-9]{6,20}-\d{6,20}-[a-z0-9]{20,100}"),
    _form(
        "SLACK_TOKEN", "hooks.slack.com", r"hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9/_-]{20,120}"
    ),
    _form("STRIPE_KEY", "k_live_ k_test_", r"[srp]k_(?:live|test)_[A-Za-z0-9]{16,250}"),
    _form("STRIPE_KEY", "whsec_", r"whsec_[A-Za-z0-9+/=]{24,100}"),
    _form("ANTHROPIC_KEY", "sk-ant-", r"sk-ant-(?:api|admin|oat|sid)?\d{0,2}-?[\w-]{24,200}"),
    _form(
        "OPENAI_KEY",
        "sk-",
        r"sk-(?:(?:proj|svcacct|admin|None)-[\w-]{20,250}|[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}|[A-Za-z0-9]{40,64})",
    ),
    _form("HUGGING_FACE_TOKEN", "hf_ api_org_", r"(?:hf_|api_org_)[A-Za-z0-9]{30,40}"),
    _form("SENDGRID_KEY", "SG.", r"SG\.[\w-]{16,32}\.[\w-]{16,64}"),
    _form("TWILIO_KEY", "SK", r"SK[0-9a-f]{32}"),
    _form("MAILGUN_KEY", "key-", r"key-[0-9a-f]{32}"),
    _form("MAILCHIMP_KEY", "-us", r"[0-9a-f]{32}-us\d{1,2}"),
    _form("NPM_TOKEN", "npm_", r"npm_[A-Za-z0-9]{36}"),
    _form("PYPI_TOKEN", "pypi-", r"pypi-AgE[\w-]{50,300}"),
    _form("DIGITALOCEAN_TOKEN", "_v1_", r"do[opr]_v1_[0-9a-f]{64}"),
    _form("SHOPIFY_TOKEN", "shpat_ shpca_ shppa_ shpss_", r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"),
    _form("SQUARE_TOKEN", "sq0", r"sq0[a-z]{3}-[\w-]{22,43}"),
    _form("DATABRICKS_TOKEN", "dapi", r"dapi[0-9a-f]{32}(?:-\d)?"),
    _form("TELEGRAM_TOKEN", ":AA", r"\d{8,10}:AA[\w-]{33}"),
    _form("DISCORD_TOKEN", "M N O", r"[MNO][A-Za-z\d_-]{23,27}\.[\w-]{6}\.[\w-]{27,38}"),
    _form("GROQ_KEY", "gsk_", r"gsk_[A-Za-z0-9]{40,60}"),
    _form("REPLICATE_TOKEN", "r8_", r"r8_[A-Za-z0-9]{37}"),
    _form("NOTION_TOKEN", "ntn_ secret_", r"(?:ntn_[A-Za-z0-9]{40,60}|secret_[A-Za-z0-9]{43})"),
    _form("LINEAR_KEY", "lin_api_", r"lin_api_[A-Za-z0-9]{40}"),
    _form("ATLASSIAN_TOKEN", "ATATT3", r"ATATT3[\w=-]{60,250}"),
    _form("VAULT_TOKEN", "hvs. hvb.", r"hv[sb]\.[\w-]{24,200}"),
    _form("DOPPLER_TOKEN", "dp.", r"dp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9._-]{40,80}"),
    _form("GRAFANA_TOKEN", "glsa_ glc_", r"(?:glsa_[A-Za-z0-9]{32}_[0-9a-fA-F]{8}|glc_[A-Za-z0-9+/=]{32,250})"),
    _form("NEW_RELIC_KEY", "NRAK- NRJS- NRII-", r"NR(?:AK|JS|II)-[A-Z0-9a-z]{19,32}"),
    _form("TERRAFORM_TOKEN", ".atlasv1.", r"[A-Za-z0-9]{14}\.atlasv1\.[\w-]{60,80}"),
    _form("AGE_KEY", "AGE-SECRET-KEY-1", r"AGE-SECRET-KEY-1[0-9A-Z]{58}"),
    _form("SUPABASE_KEY", "sbp_", r"sbp_[0-9a-f]{40}"),
    _form("COHERE_KEY", "co-", r"co-[A-Za-z0-9]{38,44}"),
    _form("PERPLEXITY_KEY", "pplx-", r"pplx-[A-Za-z0-9]{40,60}"),
    _form("OPENROUTER_KEY", "sk-or-v1-", r"sk-or-v1-[0-9a-f]{64}"),
    _form("DEEPSEEK_KEY", "sk-", r"sk-[0-9a-f]{32}"),
    _form("LANGFUSE_KEY", "sk-lf-", r"sk-lf-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    _form("XAI_KEY", "xai-", r"xai-[A-Za-z0-9]{60,100}"),
    _form("LANGSMITH_KEY", "lsv2_", r"lsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}"),
    _form("NVIDIA_KEY", "nvapi-", r"nvapi-[\w-]{60,70}"),
    _form("PINECONE_KEY", "pcsk_", r"pcsk_[A-Za-z0-9]{4,10}_[A-Za-z0-9]{50,70}"),
    _form("CEREBRAS_KEY", "csk-", r"csk-[a-z0-9]{40,60}"),
    _form("TAVILY_KEY", "tvly-", r"tvly-(?:dev-|prod-)?[A-Za-z0-9]{28,40}"),
    _form("BEDROCK_KEY", "ABSK", r"ABSK[A-Za-z0-9+/]{100,270}={0,2}"),
    _form("DOCKER_TOKEN", "dckr_pat_", r"dckr_pat_[\w-]{24,32}"),
    _form("POSTMAN_KEY", "PMAK-", r"PMAK-[0-9a-f]{24}-[0-9a-f]{34}"),
    _form("SENTRY_TOKEN", "sntrys_ sntryu_", r"sntry(?:s_eyJ[A-Za-z0-9+/=_]{80,400}|u_[0-9a-f]{64})"),
    _form("TAILSCALE_KEY", "tskey-", r"tskey-(?:auth|api|client|scim|webhook)-[A-Za-z0-9]{6,24}-[A-Za-z0-9]{20,50}"),
    _form("RUBYGEMS_KEY", "rubygems_", r"rubygems_[0-9a-f]{48}"),
    _form("FIGMA_TOKEN", "figd_", r"figd_[\w-]{38,45}"),
    _form("DISCORD_WEBHOOK", "/api/webhooks/", r"discord(?:app)?\.com/api/webhooks/\d{17,20}/[\w-]{60,80}"),
    _form("AZURE_SIGNATURE", "sig=", r"sig=[A-Za-z0-9%+/]{43,70}(?:=|%3[Dd])"),
    _form("JWT", "eyJ", r"eyJ[\w-]{8,2000}\.eyJ[\w-]{8,6000}\.[\w-]{16,1500}"),
)
