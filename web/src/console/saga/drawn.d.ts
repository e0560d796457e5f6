declare module "*.asl.json?drawn" {
  const drawing: import("./drawing.ts").Drawing;
  export default drawing;
}
