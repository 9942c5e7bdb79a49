trap 'exit 0' TERM
while true; do sleep 0.2; done
