var e=class extends Error{name="ServerFailure";kind;status;constructor(r,n,o,t){super(n,{cause:t}),this.kind=r,this.status=o}};export{e as a};
