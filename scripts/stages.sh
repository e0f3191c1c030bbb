# Sourced by scripts that run in stages: each stage is timed, and a failed one is named.

stage_names=()
stage_seconds=()

# stage NAME COMMAND...: runs the command, and stops the script where it fails.
stage() {
    local name=$1 begin=$SECONDS
    shift
    printf '\n== %s\n' "$name"
    if ! "$@"; then
        printf '== %s FAILED after %ss\n' "$name" "$((SECONDS - begin))" >&2
        return 1
    fi
    stage_names+=("$name")
    stage_seconds+=("$((SECONDS - begin))")
    printf '== %s: %ss\n' "$name" "$((SECONDS - begin))"
}

# stages_summary: how long each stage took.
stages_summary() {
    local index
    printf '\n'
    for index in "${!stage_names[@]}"; do
        printf '%6ss  %s\n' "${stage_seconds[$index]}" "${stage_names[$index]}"
    done
}
