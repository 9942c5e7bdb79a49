declare module '*.ohm' {
  const matcher: import('./matcher.ts').Matcher;
  export default matcher;
}

declare module '*.ohm?only=request,request-oddly-worded,request-with-memory,request-of-host' {
  const matcher: import('./matcher.ts').Matcher;
  export default matcher;
}

declare module '*.ohm?sweep=request&numbers=pid,requestNumber,duration,status&texts=started,unit' {
  const plan: import('./sweep.ts').SweepPlan;
  export default plan;
}

declare module '*.ohm?vocabulary=uwsgi,gunicorn,supervisord,systemd,kernel,uvicorn,daphne,hypercorn,celery,puma,unicorn,php-fpm,heroku,hosting,container,procfile,kubernetes,nginx,nginx-unit,apache,waitress,systemctl,ps,application' {
  const image: string;
  export default image;
}
