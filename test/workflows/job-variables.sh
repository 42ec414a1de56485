# Read by each bash that act starts (BASH_ENV): gives a step what GitHub gives its job, and act to all jobs alike.
if [ -n "${GITHUB_OUTPUT:-}" ] && [ -n "${STAND_IN_JOBS:-}" ]; then
  . "$STAND_IN_JOBS/$GITHUB_JOB.sh"
  for stand_in_name in $(compgen -e); do
    if [[ "${!stand_in_name}" == *"$stand_in_given"* ]]; then
      export "$stand_in_name=${!stand_in_name//"$stand_in_given"/"$stand_in_token"}"
    fi
  done
  unset stand_in_name stand_in_given stand_in_token NODE_OPTIONS BASH_ENV
fi
