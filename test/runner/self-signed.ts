/** A key and a certificate for 127.0.0.1 that no authority has signed: whoever checks it has to refuse. Good for nothing else. */
export const selfSigned = {
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgwsKjqws7ragph542
0jR3UcyyzzGTbwthdfHyziYBtmOhRANCAARtFpXTyHi2EiQ0+zHn7vbihdp3Fs9f
ZXnZzasy7It45IExdjdmhjAJ4EcELI3xa9pFVRvtMuvFJqYxvdXhShek
-----END PRIVATE KEY-----
`,
  cert: `-----BEGIN CERTIFICATE-----
MIIBmjCCAUGgAwIBAgIUWI/n7q4AGg9MkKD3cTtrYjMzGZgwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMzIxNDQzMloYDzIxMjYxMDMw
MjE0NDMyWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARtFpXTyHi2EiQ0+zHn7vbihdp3Fs9fZXnZzasy7It45IExdjdmhjAJ
4EcELI3xa9pFVRvtMuvFJqYxvdXhSheko28wbTAdBgNVHQ4EFgQUFh9YeUKfJ0hO
YfDp3wacFTvth8IwHwYDVR0jBBgwFoAUFh9YeUKfJ0hOYfDp3wacFTvth8IwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARhwR/AAABgglsb2NhbGhvc3QwCgYIKoZI
zj0EAwIDRwAwRAIgQvZVNpNK9liUMqfKyygyXjYaq2kFLjWlXHTxncGtBAMCIHap
ovD1zUivQwxWnXH+8rql7Z6cTH2mANYwyypDF3tW
-----END CERTIFICATE-----
`
}
