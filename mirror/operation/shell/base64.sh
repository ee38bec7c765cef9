# Base64, read by the shell alone.

letters=ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/

# decode TEXT: prints what it stands for.
decode() {
    rest=${1%%=*} held=0 bits=0 bytes=''
    while [ -n "$rest" ]; do
        letter=${rest%"${rest#?}"}
        rest=${rest#?}
        before=${letters%%"$letter"*}
        held=$(((held << 6) + ${#before}))
        bits=$((bits + 6))
        [ "$bits" -ge 8 ] || continue
        bits=$((bits - 8))
        byte=$((held >> bits))
        held=$((held - (byte << bits)))
        bytes=$bytes\\0$((byte >> 6))$((byte >> 3 & 7))$((byte & 7))
    done
    printf %b "$bytes"
}
