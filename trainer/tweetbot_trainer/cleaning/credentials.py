"""The shapes of keys, tokens and private keys, each by the prefix that its maker gives it."""

import re

CREDENTIAL = re.compile(
    r"""-----BEGIN\ (?:[A-Z0-9]{1,20}\ ){0,3}PRIVATE\ KEY(?:\ BLOCK)?-----      # PEM and PGP; a cut one to its end
            .*?(?:-----END\ (?:[A-Z0-9]{1,20}\ ){0,3}PRIVATE\ KEY(?:\ BLOCK)?-----|\Z)
      | (?<![A-Za-z0-9_-])(?:
            (?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}                                 # AWS
          | gh[pousr]_[A-Za-z0-9]{36,255} | github_pat_[A-Za-z0-9_]{22,255}     # GitHub
          | glpat-[A-Za-z0-9_-]{20,255}                                         # GitLab
          | (?:sk|pk|rk)[-_](?:live_|test_|proj-|ant-|or-)[A-Za-z0-9_-]{16,255} # Stripe, OpenAI, Anthropic, OpenRouter
          | sk-[A-Za-z0-9]{32,255}                                              # OpenAI's older ones
          | xox[abeoprs]-[A-Za-z0-9-]{10,255} | xapp-[A-Za-z0-9-]{10,255}       # Slack
          | AIza[0-9A-Za-z_-]{35} | ya29\.[0-9A-Za-z_-]{20,2048}                # Google
          | hf_[A-Za-z0-9]{30,255}                                              # Hugging Face
          | npm_[A-Za-z0-9]{36} | pypi-[A-Za-z0-9_-]{50,255}                    # package registries
          | SG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,64}                      # SendGrid
          | [0-9]{8,10}:AA[A-Za-z0-9_-]{33}                                     # Telegram bots
          | AAAAAAAAAAAAAAAAAAAAA[A-Za-z0-9%]{30,255}                           # X, app-only
          | eyJ[A-Za-z0-9_-]{8,2048}\.[A-Za-z0-9_-]{8,4096}\.[A-Za-z0-9_-]{8,2048}  # JSON Web Token
        )(?![A-Za-z0-9])
      | (?<![A-Za-z0-9_])(?i:aws_secret_access_key|secret_access_key)\W{1,4}[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])""",
    re.VERBOSE | re.DOTALL,
)
